import { isUtf8 } from 'node:buffer';
import { getHeaders, type HeaderList } from '../../http/headers.ts';
import { sliceTrimmed } from '../../http/octets.ts';

/** What a request says of who it is by HTTP Basic (RFC 7617). */
export type BasicCredentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'malformed' }
  /** Both are octets: UTF-8 without control characters. */
  | { readonly kind: 'given'; readonly user: string; readonly password: string };

/** Of the base64 text: 6 KiB of user and password. Whoever writes more does not mean to log in. */
const MAX_LENGTH = 8 * 1024;
const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/;

const none: BasicCredentials = Object.freeze({ kind: 'none' });
const malformed: BasicCredentials = Object.freeze({ kind: 'malformed' });

/** Is `value`, of `Authorization`, of this scheme (RFC 9110 §11.1: in any case)? */
export function isScheme(value: string, scheme: string): boolean {
  const end = value.indexOf(' ');
  const length = end < 0 ? value.length : end;
  return length === scheme.length && value.slice(0, length).toLowerCase() === scheme;
}

/** The credentials behind the name of the scheme: token68, or whatever stands there. */
export function credentialsIn(value: string, scheme: string): string {
  return sliceTrimmed(value, scheme.length, value.length);
}

/** Are there any, good or bad? */
export function bringsBasic(headers: HeaderList): boolean {
  return getHeaders(headers, 'authorization').some((value) => isScheme(value, 'basic'));
}

/**
 * Reads them (RFC 7617 §2). Several `Authorization` lines are malformed as soon as one of them is Basic: which of them is meant, two
 * servers may see in two ways.
 */
export function basicCredentials(headers: HeaderList): BasicCredentials {
  const values = getHeaders(headers, 'authorization');
  if (!values.some((value) => isScheme(value, 'basic'))) return none;
  const [value] = values;
  if (values.length !== 1 || value === undefined) return malformed;
  return decoded(credentialsIn(value, 'basic'));
}

function decoded(text: string): BasicCredentials {
  // One character over a multiple of four stands for no octet.
  if (text.length > MAX_LENGTH || !BASE64.test(text) || text.replace(/=+$/, '').length % 4 === 1) return malformed;
  const bytes = Buffer.from(text, 'base64');
  const colon = bytes.indexOf(0x3a);
  if (colon < 0 || !isUtf8(bytes) || bytes.some(isControl)) return malformed;
  // A password may have more colons, a user none.
  const user = bytes.toString('latin1', 0, colon);
  return { kind: 'given', user, password: bytes.toString('latin1', colon + 1) };
}

/** RFC 7617 §2: neither part has any. They would end a line of a log or of a field. */
function isControl(octet: number): boolean {
  return octet < 0x20 || octet === 0x7f;
}
