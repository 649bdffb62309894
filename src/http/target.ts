import { hexValue, isDigit, isRegName, isUnreserved } from './octets.ts';

/** What to do with the doubtful parts of a path. Escaped and literal spellings are treated alike. */
export interface PathPolicy {
  readonly dotSegments: 'resolve' | 'refuse';
  /** `keep` still merges slashes at the very start: `//host` is an authority to many a reader (RFC 3986 §4.2). */
  readonly duplicateSlashes: 'merge' | 'keep' | 'refuse';
  readonly encodedSlash: 'refuse' | 'keep' | 'decode';
  /** `keep` sends it on as `%5C`, since a literal one is a slash to some readers and is no URI character at all. */
  readonly backslash: 'refuse' | 'keep' | 'slash';
}

export type TargetRefusal =
  | 'not-origin-form'
  | 'control-byte'
  | 'space'
  | 'non-ascii'
  | 'fragment'
  | 'bad-escape'
  | 'encoded-control'
  | 'encoded-slash'
  | 'backslash'
  | 'duplicate-slash'
  | 'dot-segment'
  | 'hidden-dot-segment';

export interface RefusedTarget {
  readonly ok: false;
  readonly reason: TargetRefusal;
}

export interface AcceptedTarget {
  readonly ok: true;
  readonly path: string;
  /** Without the `?`; `null` when there is none, empty when nothing follows it. */
  readonly query: string | null;
}

export type CanonicalTarget = AcceptedTarget | RefusedTarget;

const SLASH = 0x2f;
const DOT = 0x2e;
const PERCENT = 0x25;
const BACKSLASH = 0x5c;
const SEMICOLON = 0x3b;
const FRAGMENT = 0x23;
const SPACE = 0x20;
const QUESTION = 0x3f;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const DELETE = 0x7f;
const MAX_HOST_LENGTH = 255; // RFC 3986 §3.2.2

const asterisk: AcceptedTarget = Object.freeze({ ok: true, path: '*', query: null });

// `..;x` is a parent to servlet containers, `..%2F` to whoever decodes before splitting. Nobody sends one in good faith,
// and resolving it would be as wrong for other endpoints as keeping it is for those, so it is refused under every policy.
const hiddenDots = /(?:^|%2F|%5C)\.\.?(?:;|%3B|%2F|%5C|$)/;

/**
 * The one form of a target that routing, policies, cache key and upstream all see. Hot: runs once per request, and
 * returns the very substring when the path is canonical already. Linear in the target's length.
 *
 * - Escapes of unreserved characters are decoded, all others upper-cased (RFC 3986 §6.2.2); `;` and the like stay.
 * - `.` and `..` are resolved by RFC 3986 §5.2.4, never above the root. A path starts with exactly one slash.
 * - Refused whatever the policy: malformed escapes, escaped or literal control bytes, spaces, `#`, bytes above 0x7e,
 *   and dot segments that only some readers see (`..;`, `..%2F`).
 * - The query is opaque: the same refusals of literal bytes, no other look at it, and not a byte changed.
 *
 * `target` is in origin form or `*` (RFC 9112 §3.2). The result is idempotent.
 */
export function canonicalizeTarget(target: string, policy: PathPolicy): CanonicalTarget {
  if (target.charCodeAt(0) !== SLASH) return target === '*' ? asterisk : refuse('not-origin-form');
  const question = target.indexOf('?');
  const end = question === -1 ? target.length : question;
  const illegal = illegalQueryByte(target, end);
  if (illegal !== null) return illegal;
  const path = isCanonicalPath(target, end) ? target.slice(0, end) : rebuildPath(target, end, policy);
  if (typeof path !== 'string') return path;
  return { ok: true, path, query: question === -1 ? null : target.slice(question + 1) };
}

function refuse(reason: TargetRefusal): RefusedTarget {
  return { ok: false, reason };
}

function isIllegal(code: number): boolean {
  return code <= SPACE || code >= DELETE || code === FRAGMENT;
}

function refuseByte(code: number): RefusedTarget {
  if (code === FRAGMENT) return refuse('fragment');
  if (code === SPACE) return refuse('space');
  return refuse(code > DELETE ? 'non-ascii' : 'control-byte');
}

function illegalQueryByte(target: string, from: number): RefusedTarget | null {
  for (let i = from; i < target.length; i += 1) {
    const code = target.charCodeAt(i);
    if (isIllegal(code)) return refuseByte(code);
  }
  return null;
}

/** True when no policy could change or refuse anything: the common case, in one scan. */
function isCanonicalPath(target: string, end: number): boolean {
  for (let i = 0; i < end; i += 1) {
    const code = target.charCodeAt(i);
    if (code === SLASH) {
      const next = i + 1 < end ? target.charCodeAt(i + 1) : 0;
      if (next === SLASH || (next === DOT && mayBeDotSegment(target, i + 2, end))) return false;
    } else if (code === PERCENT) {
      if (!isCanonicalEscape(target, i)) return false;
      i += 2;
    } else if (code === BACKSLASH || isIllegal(code)) return false;
  }
  return true;
}

/** `at` is behind a segment's first dot. Lets `.well-known` and `..foo` pass, and nothing that ends or is escaped there. */
function mayBeDotSegment(target: string, at: number, end: number): boolean {
  const behind = at < end && target.charCodeAt(at) === DOT ? at + 1 : at;
  if (behind >= end) return true;
  const code = target.charCodeAt(behind);
  return code === SLASH || code === SEMICOLON || code === PERCENT || code === BACKSLASH;
}

function isCanonicalEscape(target: string, at: number): boolean {
  const value = escapedByte(target, at);
  if (value <= 0x1f || value === DELETE || value === SLASH || value === BACKSLASH || isUnreserved(value)) return false;
  // Lower-case digits need upper-casing; the letters of hexadecimal are the only ones above 0x60 here.
  return target.charCodeAt(at + 1) < 0x60 && target.charCodeAt(at + 2) < 0x60;
}

/** Byte that the escape at `at` stands for, or -1 when it is malformed. One that the path's end cuts off is: `?` is no digit. */
function escapedByte(target: string, at: number): number {
  const high = hexValue(target.charCodeAt(at + 1));
  const low = hexValue(target.charCodeAt(at + 2));
  return high === -1 || low === -1 ? -1 : high * 16 + low;
}

function rebuildPath(target: string, end: number, policy: PathPolicy): string | RefusedTarget {
  const text = normalizeEscapes(target, end, policy);
  return typeof text === 'string' ? resolveSegments(text, policy) : text;
}

/** After this, every separator is a `/`, every escape is canonical, and there are no literal backslashes. */
function normalizeEscapes(target: string, end: number, policy: PathPolicy): string | RefusedTarget {
  let text = '';
  let copied = 0;
  for (let i = 0; i < end; i += 1) {
    const code = target.charCodeAt(i);
    if (isIllegal(code)) return refuseByte(code);
    if (code !== PERCENT && code !== BACKSLASH) continue;
    const piece = code === PERCENT ? normalEscape(target, i, policy) : normalBackslash(policy);
    if (typeof piece !== 'string') return piece;
    text += target.slice(copied, i) + piece;
    if (code === PERCENT) i += 2;
    copied = i + 1;
  }
  return text + target.slice(copied, end);
}

function normalEscape(target: string, at: number, policy: PathPolicy): string | RefusedTarget {
  const value = escapedByte(target, at);
  if (value === -1) return refuse('bad-escape');
  if (value <= 0x1f || value === DELETE) return refuse('encoded-control');
  if (isUnreserved(value)) return String.fromCharCode(value);
  if (value === BACKSLASH) return normalBackslash(policy);
  if (value !== SLASH || policy.encodedSlash === 'keep') return target.slice(at, at + 3).toUpperCase();
  return policy.encodedSlash === 'decode' ? '/' : refuse('encoded-slash');
}

function normalBackslash(policy: PathPolicy): string | RefusedTarget {
  if (policy.backslash === 'refuse') return refuse('backslash');
  return policy.backslash === 'slash' ? '/' : '%5C';
}

/** RFC 3986 §5.2.4, with duplicate slashes by policy. Merging comes first: `/a//../b` is `/b`, unless slashes are kept. */
function resolveSegments(text: string, policy: PathPolicy): string | RefusedTarget {
  const segments: string[] = [];
  let slashAtEnd = false;
  for (let start = 1, stop = 0; start <= text.length; start = stop + 1) {
    stop = text.indexOf('/', start);
    if (stop === -1) stop = text.length;
    const segment = text.slice(start, stop);
    slashAtEnd = stop === text.length && (segment === '' || segment === '.' || segment === '..');
    const refused = addSegment(segments, segment, slashAtEnd, policy);
    if (refused !== null) return refused;
  }
  return `/${segments.join('/')}${slashAtEnd && segments.length > 0 ? '/' : ''}`;
}

function addSegment(segments: string[], segment: string, last: boolean, policy: PathPolicy): RefusedTarget | null {
  if (segment === '') {
    if (last) return null;
    if (policy.duplicateSlashes === 'refuse') return refuse('duplicate-slash');
    // The first segment is never empty, so the path can't begin with `//`, not even after `..` took away what was before.
    if (policy.duplicateSlashes === 'keep' && segments.length > 0) segments.push('');
    return null;
  }
  if (segment === '.' || segment === '..') {
    if (policy.dotSegments === 'refuse') return refuse('dot-segment');
    if (segment === '..') segments.pop();
    return null;
  }
  if (hiddenDots.test(segment)) return refuse('hidden-dot-segment');
  segments.push(segment);
  return null;
}

export interface SplitTarget {
  /** Origin form, or `*`. Not canonical yet. */
  readonly target: string;
  /** As sent; `null` when the target was not in absolute form. */
  readonly authority: string | null;
  /** Lower case; `null` when the target was not in absolute form. */
  readonly scheme: 'http' | 'https' | null;
}

/**
 * Takes an absolute-form target apart (RFC 9112 §3.2.2); origin form and `*` come back as they are. `null` for everything
 * else: authority form, schemes other than http and https, an empty or malformed authority, user information.
 * OPTIONS with neither path nor query means the server as a whole, `*` (RFC 9112 §3.2.4).
 */
export function splitTarget(raw: string, method = 'GET'): SplitTarget | null {
  if (raw.charCodeAt(0) === SLASH || raw === '*') return { target: raw, authority: null, scheme: null };
  const colon = raw.indexOf('://');
  if (colon === -1 || colon > 'https'.length) return null;
  const scheme = raw.slice(0, colon).toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return null;
  const start = colon + 3;
  let end = start;
  while (end < raw.length && raw.charCodeAt(end) !== SLASH && raw.charCodeAt(end) !== QUESTION) end += 1;
  const authority = raw.slice(start, end);
  if (!isValidAuthority(authority)) return null;
  if (end === raw.length) return { target: method === 'OPTIONS' ? '*' : '/', authority, scheme };
  const rest = raw.slice(end);
  return { target: rest.charCodeAt(0) === SLASH ? rest : `/${rest}`, authority, scheme };
}

/**
 * `uri-host [ ":" port ]` (RFC 9110 §7.2) with a non-empty host of at most 255 characters and a port up to 65535, which
 * may be empty. Stricter than the grammar in one point: no percent-escapes in names, since no client sends them and they
 * would give one host two spellings. User information, zone ids and IPvFuture are refused.
 */
export function isValidAuthority(text: string): boolean {
  const hostEnd = text.charCodeAt(0) === OPEN_BRACKET ? text.indexOf(']') + 1 : endOfName(text);
  if (hostEnd === 0 || hostEnd > MAX_HOST_LENGTH) return false;
  if (text.charCodeAt(0) === OPEN_BRACKET && !isIpv6(text.slice(1, hostEnd - 1))) return false;
  return hostEnd === text.length || (text.charCodeAt(hostEnd) === COLON && isPort(text, hostEnd + 1));
}

/** Host of a valid authority in lower case, without port and without the root's trailing dot; IPv6 keeps its brackets. */
export function hostOf(authority: string): string {
  let end = authority.charCodeAt(0) === OPEN_BRACKET ? authority.indexOf(']') + 1 : authority.indexOf(':');
  if (end <= 0) end = authority.length;
  if (authority.charCodeAt(end - 1) === DOT) end -= 1;
  return authority.slice(0, end).toLowerCase();
}

function endOfName(text: string): number {
  let i = 0;
  while (i < text.length && isRegName(text.charCodeAt(i))) i += 1;
  return i;
}

function isPort(text: string, from: number): boolean {
  for (let i = from; i < text.length; i += 1) if (!isDigit(text.charCodeAt(i))) return false;
  return text.length - from <= 5 && Number(text.slice(from)) <= 65_535;
}

const ipv6Group = /^[0-9a-f]{1,4}$/i;
const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** RFC 3986 §3.2.2 `IPv6address`: eight groups, fewer with one `::`, the last two possibly as dotted IPv4. */
function isIpv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let count = 0;
  for (const [index, half] of halves.entries()) {
    if (half === '' && halves.length === 2) continue;
    const groups = half.split(':');
    const final = index === halves.length - 1 ? groups.at(-1) : undefined;
    const dotted = final !== undefined && ipv4.test(final);
    if (dotted) groups.pop();
    if (!groups.every((group) => ipv6Group.test(group))) return false;
    count += groups.length + (dotted ? 2 : 0);
  }
  return halves.length === 2 ? count <= 7 : count === 8;
}
