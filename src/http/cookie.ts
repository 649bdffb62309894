import { Cookie } from 'tough-cookie';
import { type HeaderDraft, type HeaderList, isNamed } from './headers.ts';
import { sliceTrimmed } from './octets.ts';

export type SameSite = 'strict' | 'lax' | 'none';

export interface CookieFields {
  /** A token. */
  readonly name: string;
  /** `cookie-octet`s only (RFC 6265 §4.1.1): the caller has encoded it. */
  readonly value: string;
  readonly path: string;
  readonly domain?: string | undefined;
  readonly secure: boolean;
  readonly httpOnly: boolean;
  readonly sameSite: SameSite;
  /** Rounded down to whole seconds; a session cookie when not given. */
  readonly maxAgeMs?: number | undefined;
}

/** What to change in a Set-Cookie that an endpoint sent; what is not given stays. */
export interface CookieEdits {
  /** `false` removes it: the cookie then belongs to the host that the client asked. */
  readonly domain?: string | false | undefined;
  /** A new path for every cookie, or a new prefix for paths at or below `from`. */
  readonly path?: string | { readonly from: string; readonly to: string } | undefined;
  readonly secure?: boolean | undefined;
  readonly httpOnly?: boolean | undefined;
  readonly sameSite?: SameSite | undefined;
}

const sameSiteText = { strict: 'Strict', lax: 'Lax', none: 'None' } as const;

/**
 * Value of the first cookie `name` of a request, byte for byte: neither unquoted nor decoded; `null` when there is none.
 * Names are case-sensitive (RFC 6265 §5.4). Hot for routes with affinity: scans the text, splits nothing.
 */
export function cookieValue(headers: HeaderList, name: string): string | null {
  if (name === '') return null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'cookie')) continue;
    const value = scanPairs(headers[i + 1] as string, name);
    if (value !== null) return value;
  }
  return null;
}

/**
 * Value of the last Set-Cookie `name` of a response, byte for byte; `null` when there is none. Of several, browsers keep the last
 * one. Its attributes are not looked at.
 */
export function setCookieValue(headers: HeaderList, name: string): string | null {
  let value: string | null = null;
  for (let i = 0; i < headers.length; i += 2) {
    if (!isNamed(headers[i] as string, 'set-cookie')) continue;
    const text = headers[i + 1] as string;
    const semicolon = text.indexOf(';');
    const end = semicolon === -1 ? text.length : semicolon;
    const equals = text.indexOf('=');
    if (equals === -1 || equals > end || sliceTrimmed(text, 0, equals) !== name) continue;
    value = sliceTrimmed(text, equals + 1, end);
  }
  return value;
}

/** Name of the cookie that a Set-Cookie field value sets; empty when it has none (RFC 6265 §5.2). */
export function setCookieName(field: string): string {
  const semicolon = field.indexOf(';');
  const equals = field.indexOf('=');
  return equals === -1 || (semicolon !== -1 && equals > semicolon) ? '' : sliceTrimmed(field, 0, equals);
}

/**
 * Takes the cookies that are called like one of `names`, or that and something after a dot, out of a request. A line of which nothing is left goes; one
 * without any of them keeps its bytes.
 */
export function removeCookies(headers: HeaderDraft, names: readonly string[]): void {
  for (let i = 0; i < headers.length; i += 2) {
    const line = headers[i + 1] as string;
    if (!isNamed(headers[i] as string, 'cookie') || !names.some((name) => line.includes(name))) continue;
    const pairs = line.split(';').map((pair) => pair.trim());
    const others = pairs.filter((pair) => pair !== '' && !isCalled(pair, names));
    if (others.length > 0) headers[i + 1] = others.join('; ');
    else {
      headers.splice(i, 2);
      i -= 2;
    }
  }
}

function isCalled(pair: string, names: readonly string[]): boolean {
  const equals = pair.indexOf('=');
  const called = equals === -1 ? pair : pair.slice(0, equals).trimEnd();
  return names.some((name) => called === name || (called.startsWith(name) && called.charCodeAt(name.length) === 0x2e));
}

function scanPairs(text: string, name: string): string | null {
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1)) {
    const equals = at + name.length;
    if (text.charCodeAt(equals) !== 0x3d || !startsPair(text, at)) continue;
    const semicolon = text.indexOf(';', equals);
    return sliceTrimmed(text, equals + 1, semicolon === -1 ? text.length : semicolon);
  }
  return null;
}

/** True when nothing but blanks stands between `at` and the semicolon or start before it. */
function startsPair(text: string, at: number): boolean {
  let i = at - 1;
  while (i >= 0 && (text.charCodeAt(i) === 0x20 || text.charCodeAt(i) === 0x09)) i -= 1;
  return i < 0 || text.charCodeAt(i) === 0x3b;
}

/** A Set-Cookie field value (RFC 6265 §4.1) from parts that the caller vouches for. */
export function setCookieField(cookie: CookieFields): string {
  let field = `${cookie.name}=${cookie.value}; Path=${cookie.path}`;
  if (cookie.domain !== undefined) field += `; Domain=${cookie.domain}`;
  if (cookie.maxAgeMs !== undefined) field += `; Max-Age=${Math.floor(cookie.maxAgeMs / 1000)}`;
  if (cookie.secure) field += '; Secure';
  if (cookie.httpOnly) field += '; HttpOnly';
  return `${field}; SameSite=${sameSiteText[cookie.sameSite]}`;
}

/**
 * `value`, a Set-Cookie field value, with its attributes edited. Name and value keep their bytes, unknown attributes
 * (Partitioned, Priority) their text; the known ones are written in canonical case and order, and those that a browser
 * would ignore (an unparsable Expires) disappear. What can't be parsed comes back unchanged.
 *
 * A name prefix is a promise that browsers enforce by dropping the cookie, so no edit breaks it: `__Host-` keeps its path
 * and gets no Domain, and neither it nor `__Secure-` loses Secure (RFC 6265bis §4.1.3).
 */
export function editSetCookie(value: string, edits: CookieEdits): string {
  const cookie = Cookie.parse(value, { loose: true });
  // Without name and value it is no cookie to a browser either (RFC 6265bis §5.6).
  if (cookie === undefined || cookie.cookieString() === '') return value;
  applyEdits(cookie, edits);
  // tough-cookie trims Unicode blanks off the pair and drops a nameless cookie's `=`: take only the attributes from it.
  const semicolon = value.indexOf(';');
  const pair = sliceTrimmed(value, 0, semicolon === -1 ? value.length : semicolon);
  return pair + cookie.toString().slice(cookie.cookieString().length);
}

function applyEdits(cookie: Cookie, edits: CookieEdits): void {
  const prefix = /^__(host|secure)-/i.exec(cookie.key)?.[1]?.toLowerCase();
  if (prefix !== 'host') {
    if (edits.domain !== undefined) cookie.domain = edits.domain === false ? null : edits.domain;
    if (edits.path !== undefined) cookie.path = newPath(cookie.path, edits.path);
  }
  if (edits.secure !== undefined && (edits.secure || prefix === undefined)) cookie.secure = edits.secure;
  if (edits.httpOnly !== undefined) cookie.httpOnly = edits.httpOnly;
  if (edits.sameSite !== undefined) cookie.sameSite = edits.sameSite;
}

/** A cookie without Path keeps none under a prefix edit: its default path comes from the URL that the client sees. */
function newPath(path: string | null, edit: string | { readonly from: string; readonly to: string }): string | null {
  if (typeof edit === 'string') return edit;
  if (path === null) return null;
  const from = withoutSlashAtEnd(edit.from);
  if (path !== from && !path.startsWith(`${from}/`)) return path;
  // `/` below a new prefix is that prefix: with a slash at its end the cookie would not be sent to the prefix itself.
  const rest = path === '/' ? '' : path.slice(from.length);
  return withoutSlashAtEnd(edit.to) + rest || '/';
}

function withoutSlashAtEnd(path: string): string {
  return path.endsWith('/') ? path.slice(0, -1) : path;
}
