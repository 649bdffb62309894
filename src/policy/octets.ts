import { hexValue } from '../http/octets.ts';

/*
 * Hot file. Text on the data plane is an octet string: one character per byte, 0–255, as node:http gives header values.
 * A percent-decoded query value is one too, so that whatever bytes a client sent can be encoded again without loss.
 */

const ENCODE = 0;
const KEEP = 1;
const DROP = 2;
/** For `%`: kept before two hex digits, else it becomes `%25`. The escape of a control byte is dropped whole. */
const ESCAPE = 3;
const SPACE = 4;

/** What happens to each octet. */
export type OctetTable = Uint8Array;

const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
/** RFC 3986 §2.3. */
const UNRESERVED = `${ALPHANUMERIC}-._~`;
const VISIBLE = Array.from({ length: 94 }, (_, i) => String.fromCharCode(0x21 + i)).join('');
const CONTROLS = `${Array.from({ length: 32 }, (_, i) => String.fromCharCode(i)).join('')}\x7f`;

/** A query value, or one name: everything but unreserved characters is encoded. */
export const COMPONENT = octetTable(ENCODE, [[UNRESERVED, KEEP]]);
/** Foreign text as (a part of) one path segment. Control bytes are dropped: no path that comes in may hold them either. */
export const SEGMENT = octetTable(ENCODE, [
  [UNRESERVED, KEEP],
  [CONTROLS, DROP],
]);
/** A piece of a canonical path as a query value: its escapes already mean what they shall mean. */
export const ESCAPED_COMPONENT = octetTable(ENCODE, [
  [UNRESERVED, KEEP],
  ['%', ESCAPE],
]);
/** A path towards an endpoint: visible ASCII stays byte for byte. */
export const UPSTREAM_PATH = octetTable(ENCODE, [
  [VISIBLE, KEEP],
  [CONTROLS, DROP],
  ['?#', ENCODE],
  ['%', ESCAPE],
]);
/** A path in a URL for a browser, which reads `\` as `/` (WHATWG URL §4.4). */
export const URL_PATH = octetTable(ENCODE, [
  [VISIBLE, KEEP],
  ['"<>\\^`{|}?#', ENCODE],
  ['%', ESCAPE],
]);
/** A whole query in a URL for a browser: opaque, except what would end it or leave an HTML attribute. */
export const URL_QUERY = octetTable(ENCODE, [
  [VISIBLE, KEEP],
  ['"<>#', ENCODE],
]);
/** Foreign text as a part of a host name. */
export const HOST_LABEL = octetTable(DROP, [[`${ALPHANUMERIC}-._`, KEEP]]);
/** `host[:port]` of the request. */
export const AUTHORITY = octetTable(DROP, [[`${ALPHANUMERIC}-._:[]`, KEEP]]);
/** A field value (RFC 9110 §5.5): a control byte becomes a space, so that it neither ends the line nor joins two words. */
export const FIELD_VALUE = octetTable(KEEP, [
  [CONTROLS, SPACE],
  ['\t', KEEP],
]);

function octetTable(otherwise: number, rules: readonly (readonly [characters: string, action: number])[]): OctetTable {
  const table = new Uint8Array(256).fill(otherwise);
  for (const [characters, action] of rules) {
    for (let i = 0; i < characters.length; i += 1) table[characters.charCodeAt(i)] = action;
  }
  return table;
}

const ESCAPES: readonly string[] = Array.from(
  { length: 256 },
  (_, octet) => `%${octet.toString(16).toUpperCase().padStart(2, '0')}`,
);

/** Treats every octet of `text` as `table` says; returns `text` itself when nothing changes. */
export function translate(text: string, table: OctetTable): string {
  for (let i = 0; i < text.length; i += 1) {
    if (table[text.charCodeAt(i)] !== KEEP) return translateFrom(text, table, i);
  }
  return text;
}

function translateFrom(text: string, table: OctetTable, start: number): string {
  let out = text.slice(0, start);
  for (let i = start; i < text.length; i += 1) {
    const octet = text.charCodeAt(i);
    // Not an octet string after all (a test, a future source): its UTF-8 bytes are what would go on the wire.
    if (octet > 0xff) return translate(toOctets(text), table);
    const action = table[octet];
    if (action === KEEP) out += text[i];
    else if (action === ENCODE) out += ESCAPES[octet];
    else if (action === SPACE) out += ' ';
    else if (action === ESCAPE) {
      const escaped = escapedOctet(text, i);
      if (escaped < 0) out += '%25';
      else {
        if (!isControl(escaped)) out += text.slice(i, i + 3);
        i += 2;
      }
    }
  }
  return out;
}

function isControl(octet: number): boolean {
  return octet < 0x20 || octet === 0x7f;
}

/** Value of the `%XX` at `at`, or -1 when there are no two hex digits. */
export function escapedOctet(text: string, at: number): number {
  const high = hexValue(text.charCodeAt(at + 1));
  const low = hexValue(text.charCodeAt(at + 2));
  return high < 0 || low < 0 ? -1 : high * 16 + low;
}

/** UTF-8 bytes of `text` as an octet string. Configuration is Unicode; what is sent is bytes. */
export function toOctets(text: string): string {
  for (let i = 0; i < text.length; i += 1) {
    if (text.charCodeAt(i) > 0x7f) return Buffer.from(text, 'utf8').toString('latin1');
  }
  return text;
}

/** The Unicode text in an octet string; bytes that are no UTF-8 become U+FFFD. */
export function fromOctets(octets: string): string {
  for (let i = 0; i < octets.length; i += 1) {
    if (octets.charCodeAt(i) > 0x7f) return Buffer.from(octets, 'latin1').toString('utf8');
  }
  return octets;
}

/** `octets` as `application/x-www-form-urlencoded` text means it: `+` is a space, `%XX` an octet, a broken escape itself. */
export function decodeComponent(octets: string): string {
  if (!octets.includes('%') && !octets.includes('+')) return octets;
  let out = '';
  for (let i = 0; i < octets.length; i += 1) {
    const character = octets[i] as string;
    const escaped = character === '%' ? escapedOctet(octets, i) : -1;
    if (escaped >= 0) {
      out += String.fromCharCode(escaped);
      i += 2;
    } else out += character === '+' ? ' ' : character;
  }
  return out;
}
