import type { HeaderList } from '../../http/headers.ts';

/**
 * A response head as an HTTP/2 field list: `:status` first, names in lower case, order and repeats kept. Fields of a
 * connection are left out (RFC 9113 §8.2.2), `Content-Length` too for 204. `null` when a field would break the list.
 */
export function responseFields(status: number, headers: HeaderList): string[] | null {
  const fields: string[] = [':status', String(status)];
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (isConnectionSpecific(name) || (status === 204 && name === 'content-length')) continue;
    const value = headers[i + 1] as string;
    if (name === '' || name.charCodeAt(0) === COLON || breaksField(value)) return null;
    fields.push(name, value);
  }
  return fields;
}

/** The same for what Node takes as an object only: interim responses and trailers. */
export function fieldObject(headers: HeaderList): Record<string, string[]> | null {
  // Without a prototype: `__proto__` is a valid field name.
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    if (isConnectionSpecific(name)) continue;
    const value = headers[i + 1] as string;
    if (name === '' || name.charCodeAt(0) === COLON || breaksField(value)) return null;
    const values = fields[name];
    if (values === undefined) fields[name] = [value];
    else values.push(value);
  }
  return fields;
}

/** Announced length, or -1. */
export function announcedLength(headers: HeaderList): number {
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (name.length !== 14 || name.toLowerCase() !== 'content-length') continue;
    const length = Number(headers[i + 1]);
    return Number.isSafeInteger(length) && length >= 0 ? length : -1;
  }
  return -1;
}

function isConnectionSpecific(name: string): boolean {
  switch (name) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
      return true;
    default:
      return false;
  }
}

/** RFC 9113 §8.2.1: no NUL, LF or CR; nothing that is not an octet. */
function breaksField(value: string): boolean {
  for (let i = 0; i < value.length; i += 1) {
    const c = value.charCodeAt(i);
    if (c === 0x00 || c === 0x0a || c === 0x0d || c > 0xff) return true;
  }
  return false;
}

const COLON = 0x3a;
