import type { HeaderList } from '../../http/headers.ts';
import { breaksField } from '../../http/http2-fields.ts';
import { fieldName } from './field-names.ts';

/**
 * A response head as an HTTP/2 field list: `:status` first, names in lower case, order and repeats kept. Fields of a
 * connection are left out (RFC 9113 §8.2.2), `Content-Length` too for 204. `null` when a field would break the list.
 */
export function responseFields(status: number, headers: HeaderList): string[] | null {
  // Of its full length at once: growing to it takes 500 bytes for nine fields in place of 180.
  const fields = new Array<string>(headers.length + 2);
  fields[0] = ':status';
  fields[1] = String(status);
  let length = 2;
  for (let i = 0; i < headers.length; i += 2) {
    const name = fieldName(headers[i] as string);
    const value = headers[i + 1] as string;
    if (name === null || (name === 'te' && value !== 'trailers')) continue;
    if (status === 204 && name === 'content-length') continue;
    if (name === '' || name.charCodeAt(0) === COLON || breaksField(value)) return null;
    fields[length] = name;
    fields[length + 1] = value;
    length += 2;
  }
  fields.length = length;
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
