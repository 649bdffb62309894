import type { HeaderList } from './headers.ts';

const COLON = 0x3a;

/** Fields that belong to an HTTP/1.1 connection and stand in no HTTP/2 message (RFC 9113 §8.2.2). `lower` is the name in lower case. */
export function isConnectionSpecific(lower: string, value: string): boolean {
  switch (lower) {
    case 'connection':
    case 'keep-alive':
    case 'proxy-connection':
    case 'transfer-encoding':
    case 'upgrade':
    case 'http2-settings':
      return true;
    case 'te':
      return value !== 'trailers';
    default:
      return false;
  }
}

/** RFC 9113 §8.2.1: no NUL, LF or CR; nothing that is not an octet. Node joins fields by NUL: one more would be two fields. */
export function breaksField(text: string): boolean {
  for (let i = 0; i < text.length; i += 1) {
    const c = text.charCodeAt(i);
    if (c === 0x00 || c === 0x0a || c === 0x0d || c > 0xff) return true;
  }
  return false;
}

/** Interim responses and trailers, which Node takes as an object only; `null` for a field that would break the list. */
export function fieldObject(headers: HeaderList): Record<string, string[]> | null {
  // Without a prototype: `__proto__` is a valid field name.
  const fields: Record<string, string[]> = Object.create(null);
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (isConnectionSpecific(name, value)) continue;
    if (name === '' || name.charCodeAt(0) === COLON || breaksField(name) || breaksField(value)) return null;
    const values = fields[name];
    if (values === undefined) fields[name] = [value];
    else values.push(value);
  }
  return fields;
}
