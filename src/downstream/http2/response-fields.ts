import type { HeaderList } from '../../http/headers.ts';
import { breaksField, isConnectionSpecific } from '../../http/http2-fields.ts';

/**
 * A response head as an HTTP/2 field list: `:status` first, names in lower case, order and repeats kept. Fields of a
 * connection are left out (RFC 9113 §8.2.2), `Content-Length` too for 204. `null` when a field would break the list.
 */
export function responseFields(status: number, headers: HeaderList): string[] | null {
  const fields: string[] = [':status', String(status)];
  for (let i = 0; i < headers.length; i += 2) {
    const name = (headers[i] as string).toLowerCase();
    const value = headers[i + 1] as string;
    if (isConnectionSpecific(name, value) || (status === 204 && name === 'content-length')) continue;
    if (name === '' || name.charCodeAt(0) === COLON || breaksField(value)) return null;
    fields.push(name, value);
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

const COLON = 0x3a;
