/** Character classes of HTTP and URI grammar as one table lookup. Codes above 0xff belong to no class. */
const TCHAR = 1;
const UNRESERVED = 2;
const SUB_DELIM = 4;

const classes = new Uint8Array(256);

function assign(characters: string, bit: number): void {
  for (let i = 0; i < characters.length; i += 1) {
    const code = characters.charCodeAt(i);
    classes[code] = (classes[code] ?? 0) | bit;
  }
}

const alphanumeric = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
assign(`${alphanumeric}!#$%&'*+-.^_\`|~`, TCHAR);
assign(`${alphanumeric}-._~`, UNRESERVED);
assign("!$&'()*+,;=", SUB_DELIM);

function has(code: number, bits: number): boolean {
  // Reading past the table would give the same answer, but makes V8 give up on the fast path of typed arrays.
  return code < 256 && ((classes[code] as number) & bits) !== 0;
}

/** A character of a token: method, field name, directive (RFC 9110 §5.6.2). */
export function isTchar(code: number): boolean {
  return has(code, TCHAR);
}

/** A character that means the same escaped and unescaped (RFC 3986 §2.3). */
export function isUnreserved(code: number): boolean {
  return has(code, UNRESERVED);
}

/** A character of a registered name that is not an escape (RFC 3986 §3.2.2). */
export function isRegName(code: number): boolean {
  return has(code, UNRESERVED | SUB_DELIM);
}

export function isDigit(code: number): boolean {
  return code >= 0x30 && code <= 0x39;
}

/** Optional whitespace: space or tab (RFC 9110 §5.6.3). */
export function isOws(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

/** Value of a hexadecimal digit in either case, or -1; also -1 for `NaN`, which is what `charCodeAt` gives past the end. */
export function hexValue(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  if (code >= 0x41 && code <= 0x46) return code - 0x37;
  if (code >= 0x61 && code <= 0x66) return code - 0x57;
  return -1;
}

/** `text` between `from` and `to` without optional whitespace at either end. Unlike `trim()` it leaves 0xA0 alone, which is half a UTF-8 letter. */
export function sliceTrimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isOws(text.charCodeAt(start))) start += 1;
  while (end > start && isOws(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}
