/** RFC 7515 §4.1, as far as it is listened to. What it says of keys (`jwk`, `jku`, `x5u`, `x5c`) is never read: the sender would choose them. */
export interface TokenHeader {
  readonly alg: string;
  readonly kid: string | null;
  /** Lower case, without `application/` (RFC 7515 §4.1.9). */
  readonly typ: string | null;
}

/** A token whose form is sound, and whose signature nobody has looked at yet. */
export interface ReadToken {
  readonly text: string;
  readonly header: TokenHeader;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** Longer ones are refused unread: heads of requests are 16 KiB in most servers. */
export const MAX_TOKEN = 16_384;
/** Of a key's name; it is kept while a key is looked for. */
const MAX_KID = 512;

const BASE64URL = /^[A-Za-z0-9_-]+$/;
const utf8 = new TextDecoder('utf-8', { fatal: true });

/**
 * A signed JWT in its compact form (RFC 7515 §3.1, RFC 7519 §3): three parts of base64url, two of them JSON objects in UTF-8 whose names are
 * unique. `null` for everything else: an encrypted one, an unsigned one, one with extensions that must be understood (`crit`), one that is
 * longer than 16 KiB.
 */
export function readToken(text: string): ReadToken | null {
  if (text.length > MAX_TOKEN) return null;
  const first = text.indexOf('.');
  const second = text.indexOf('.', first + 1);
  if (first <= 0 || second === -1 || text.includes('.', second + 1)) return null;
  const signature = text.slice(second + 1);
  if (!BASE64URL.test(signature) || signature.length % 4 === 1) return null;
  const header = objectIn(text.slice(0, first));
  const claims = objectIn(text.slice(first + 1, second));
  if (header === null || claims === null) return null;
  const read = headerOf(header);
  return read === null ? null : { text, header: read, claims };
}

function headerOf({ alg, kid, typ, crit, b64 }: Readonly<Record<string, unknown>>): TokenHeader | null {
  // No extension is understood here, and an unencoded payload (RFC 7797) is one.
  if (crit !== undefined || b64 !== undefined) return null;
  if (typeof alg !== 'string' || alg.toLowerCase() === 'none') return null;
  if (kid !== undefined && (typeof kid !== 'string' || kid.length > MAX_KID)) return null;
  if (typ !== undefined && typeof typ !== 'string') return null;
  return { alg, kid: kid ?? null, typ: typ === undefined ? null : plainType(typ) };
}

export function plainType(typ: string): string {
  return typ.toLowerCase().replace(/^application\//, '');
}

/** The JSON object in a part, or `null`. */
function objectIn(part: string): Readonly<Record<string, unknown>> | null {
  if (!BASE64URL.test(part) || part.length % 4 === 1) return null;
  let text: string;
  let value: unknown;
  try {
    text = utf8.decode(Buffer.from(part, 'base64url'));
    value = JSON.parse(text);
  } catch {
    // No UTF-8, no JSON, or too deep for the parser.
    return null;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  return membersIn(text) === membersOf(value) ? (value as Readonly<Record<string, unknown>>) : null;
}

/**
 * Members of all objects in sound JSON: each has the one colon that is in no string. More of them than of what was parsed means that a name
 * stands twice in an object, of which readers take different ones (RFC 7515 §4, RFC 7519 §4).
 */
function membersIn(text: string): number {
  let count = 0;
  let inString = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === 0x22) inString = !inString;
    else if (code === 0x5c) i += 1;
    else if (code === 0x3a && !inString) count += 1;
  }
  return count;
}

function membersOf(root: unknown): number {
  let count = 0;
  // A list and no recursion: 16 KiB of brackets are deeper than the stack may be.
  const left: unknown[] = [root];
  for (let value = left.pop(); value !== undefined; value = left.pop()) {
    if (typeof value !== 'object' || value === null) continue;
    const inner = Object.values(value);
    if (!Array.isArray(value)) count += inner.length;
    left.push(...inner);
  }
  return count;
}
