import { canonicalizeTarget, type PathPolicy } from '../http/target.ts';
import { escapedOctet, toOctets, translate, UPSTREAM_PATH } from './octets.ts';

/**
 * Makes `text` a path that may go to an endpoint: one "/" at the start, visible ASCII, every "%" a valid escape, no "?"
 * or "#", and no "." or ".." segment. Those are dropped, not resolved: what a client writes into a variable or between
 * two matches of a regex must never climb out of the path that the configuration wrote (`/files/{query.name}`).
 * Returns `text` itself when it is such a path already.
 */
export function upstreamPath(text: string): string {
  const path = translate(text, UPSTREAM_PATH);
  return rooted(hasDotSegment(path) ? withoutDotSegments(path) : path);
}

/**
 * `path` with exactly one "/" at its start. Two would make it an authority for whoever resolves it as a URL reference
 * (RFC 3986 §4.2).
 */
export function rooted(path: string): string {
  if (path.charCodeAt(0) !== SLASH) return `/${path}`;
  let start = 0;
  while (path.charCodeAt(start + 1) === SLASH) start += 1;
  return start === 0 ? path : path.slice(start);
}

/** `path` under `prefix` on a segment border? `prefix` has no "/" at its end; "" is above everything. */
export function isUnder(path: string, prefix: string): boolean {
  return path.startsWith(prefix) && (path.length === prefix.length || path.charCodeAt(prefix.length) === SLASH);
}

/** What a configured prefix may hold beyond what every path does. It is text: nothing is resolved or merged away. */
const configured: PathPolicy = {
  dotSegments: 'refuse',
  duplicateSlashes: 'refuse',
  encodedSlash: 'keep',
  backslash: 'keep',
};

/**
 * A configured prefix in the form that canonical paths have, so that the two can be compared, without "/" at its end;
 * "" for the root, `null` when it can't be the start of a path.
 */
export function canonicalPrefix(text: string): string | null {
  if (/[?#\0-\x1f\x7f]/.test(text)) return null;
  const target = canonicalizeTarget(translate(toOctets(text), UPSTREAM_PATH), configured);
  if (!target.ok) return null;
  return target.path.endsWith('/') ? target.path.slice(0, -1) : target.path;
}

const SLASH = 0x2f;
const BACKSLASH = 0x5c;

/**
 * Is there a "." or ".." between two borders? An encoded slash and a backslash, encoded or not, count as borders, %2E as
 * a dot, and a ";" ends a name (`..;x`): some endpoint will decode them, or drop path parameters, before it resolves.
 */
export function hasDotSegment(path: string): boolean {
  let dots = 0; // since the last border; -1 once the segment holds anything else
  for (let i = 0; i < path.length; i += 1) {
    let code = path.charCodeAt(i);
    if (code === 0x25) {
      code = Math.max(0, escapedOctet(path, i));
      if (isMark(code)) i += 2;
    }
    if (code === 0x2e) {
      if (dots >= 0) dots += 1;
      continue;
    }
    if (isMark(code) && (dots === 1 || dots === 2)) return true;
    dots = code === SLASH || code === BACKSLASH ? 0 : -1;
  }
  return dots === 1 || dots === 2;
}

function isMark(code: number): boolean {
  return code === 0x2e || code === SLASH || code === BACKSLASH || code === 0x3b;
}

function withoutDotSegments(path: string): string {
  const pieces = path.split(/(\/|\\|%2F|%5C)/i); // segment, border, segment, …
  let out = '';
  for (let i = 0; i < pieces.length; i += 2) {
    // A dropped segment takes the border behind it along.
    if (/^(\.|%2E){1,2}($|;|%3B)/i.test(pieces[i] as string)) continue;
    out += `${pieces[i]}${pieces[i + 1] ?? ''}`;
  }
  return out;
}
