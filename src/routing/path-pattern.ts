import { canonicalProblem } from './canonical-text.ts';
import { compileRegex, type Regex } from './regex.ts';
import type { PathMatch } from './route.ts';

/**
 * A compiled path condition.
 *
 * Grammar of a pattern: segments between slashes, each a literal or `{name}`, and as the last one perhaps `**` or `{name...}`.
 * A capture is a whole segment, never empty. `/a/**` is `/a` and everything below `/a/`; `/a/{rest...}` is the same with a
 * name for what stands after `/a/` (empty for `/a` and `/a/`). A prefix loses one trailing slash: `/api/` is `/api`.
 */
export interface CompiledPath {
  /**
   * Segments, `null` for a captured one. `tail` says what may follow: nothing, or anything from a segment border on.
   * A `regex` has neither; it is searched in the whole path.
   */
  readonly segments: readonly (string | null)[];
  readonly tail: 'end' | 'below';
  readonly regex: Regex | null;
  /** False only for "no path condition", which also holds for `OPTIONS *`. */
  readonly needsSlash: boolean;
  /** Names that a match captures, in order: those of `segments`, then that of the remainder. */
  readonly captures: readonly string[];
  readonly capturesRest: boolean;
  /**
   * Sorts before the rank of every path that goes later for the same request, in plain string order: read from left to right,
   * a literal segment (0) goes before a captured one (1), the end (2) before "and below" (3); then regexes (8), then paths
   * that hold everything (9). Exact paths and longer prefixes come first by construction.
   */
  readonly rank: string;
  /** Equal for paths that hold for the same requests and differ at most in the names of captures. */
  readonly shape: string;
}

export type PathResult =
  | { readonly ok: true; readonly path: CompiledPath }
  | { readonly ok: false; readonly message: string };

/** No condition on the path. */
export const anyPath: CompiledPath = Object.freeze({
  segments: [],
  tail: 'below' as const,
  regex: null,
  needsSlash: false,
  captures: [],
  capturesRest: false,
  rank: '9',
  shape: '*',
});

/** Compiles one path condition. `message` is for people: lower case, without the place. */
export function compilePath(match: PathMatch): PathResult {
  if (match.kind === 'regex') return compileRegexPath(match.value);
  if (!match.value.startsWith('/')) return { ok: false, message: `path "${match.value}" does not start with "/"` };
  const problem = canonicalProblem(match.value);
  if (problem !== null) return { ok: false, message: problem };
  if (match.kind === 'pattern') return compilePattern(match.value);
  const segments = match.value.slice(1).split('/');
  if (match.kind === 'exact') return { ok: true, path: segmentPath(segments, 'end', [], false) };
  // The trailing slash, or the whole of "/".
  if (segments.at(-1) === '') segments.pop();
  return { ok: true, path: segmentPath(segments, 'below', [], false) };
}

function compileRegexPath(source: string): PathResult {
  const result = compileRegex(source);
  if (!result.ok) return { ok: false, message: `"${source}" is not a regular expression (RE2): ${result.message}` };
  const { regex } = result;
  const path = { ...anyPath, regex, captures: regex.groups, rank: '8', shape: `~${source}` };
  return { ok: true, path };
}

const CAPTURE = /^\{([A-Za-z_][A-Za-z0-9_]*)(\.\.\.)?\}$/;

function compilePattern(value: string): PathResult {
  const texts = value.slice(1).split('/');
  const segments: (string | null)[] = [];
  const captures: string[] = [];
  for (const [index, text] of texts.entries()) {
    const capture = CAPTURE.exec(text);
    const isOpen = text === '**' || capture?.[2] !== undefined;
    const problem = segmentProblem(value, text, { isOpen, isLast: index === texts.length - 1, capture, captures });
    if (problem !== null) return { ok: false, message: problem };
    if (capture !== null) captures.push(capture[1] as string);
    if (isOpen) return { ok: true, path: segmentPath(segments, 'below', captures, capture !== null) };
    segments.push(capture === null ? text : null);
  }
  return { ok: true, path: segmentPath(segments, 'end', captures, false) };
}

interface SegmentContext {
  readonly isOpen: boolean;
  readonly isLast: boolean;
  readonly capture: RegExpExecArray | null;
  readonly captures: readonly string[];
}

function segmentProblem(value: string, text: string, { isOpen, isLast, capture, captures }: SegmentContext) {
  if (isOpen && !isLast) return `in path "${value}", "${text}" must be the last segment`;
  if (capture !== null) {
    return captures.includes(capture[1] as string) ? `path "${value}" captures "${capture[1]}" twice` : null;
  }
  if (isOpen) return null;
  if (/[{}]/.test(text)) return `in path "${value}", "${text}" is not a capture: a whole segment, {name} or {name...}`;
  if (!text.includes('*')) return null;
  return `in path "${value}", "${text}" is not a wildcard: {name} is one segment, a last ** the rest`;
}

function segmentPath(
  segments: readonly (string | null)[],
  tail: 'end' | 'below',
  captures: readonly string[],
  capturesRest: boolean,
): CompiledPath {
  const isEverything = segments.length === 0 && tail === 'below';
  const kinds = segments.map((segment) => (segment === null ? '1' : '0')).join('');
  // NUL is in no canonical path, so a literal segment can't look like a captured one.
  const names = segments.map((segment) => `/${segment ?? '\0'}`).join('');
  return {
    segments,
    tail,
    regex: null,
    needsSlash: true,
    captures,
    capturesRest,
    rank: isEverything ? '9' : `${kinds}${tail === 'end' ? '2' : '3'}`,
    shape: `${names}${tail === 'end' ? '' : '/\0\0'}`,
  };
}

/** True if the condition holds for the canonical `path`; allocates nothing. */
export function pathMatches(compiled: CompiledPath, path: string): boolean {
  if (compiled.regex !== null) return compiled.regex.test(path);
  if (path.charCodeAt(0) !== 0x2f) return !compiled.needsSlash;
  let start = 1;
  for (const segment of compiled.segments) {
    if (start > path.length) return false;
    const slash = path.indexOf('/', start);
    const end = slash === -1 ? path.length : slash;
    if (segment === null ? end === start : !isSpan(path, start, end, segment)) return false;
    start = end + 1;
  }
  return compiled.tail === 'below' || start > path.length;
}

function isSpan(path: string, start: number, end: number, segment: string): boolean {
  return end - start === segment.length && path.startsWith(segment, start);
}

/** True if every path that `inner` holds for is one that `outer` holds for. `false` when that can't be told. */
export function pathCovers(outer: CompiledPath, inner: CompiledPath): boolean {
  if (outer.shape === inner.shape || (!outer.needsSlash && outer.regex === null)) return true;
  if (inner.regex !== null) return false;
  const only = onlyPath(inner);
  if (only !== null) return pathMatches(outer, only);
  if (outer.regex !== null || !inner.needsSlash) return false;
  const isShorter = outer.segments.length < inner.segments.length;
  if (isShorter ? outer.tail === 'end' : outer.segments.length > inner.segments.length) return false;
  if (!isShorter && outer.tail === 'end' && inner.tail === 'below') return false;
  // A capture is never empty, a literal may be: "/a/" is no "/a/{id}".
  return outer.segments.every((segment, i) =>
    segment === null ? inner.segments[i] !== '' : segment === inner.segments[i],
  );
}

/** False if no path can hold both. `true` when that can't be told. */
export function pathsOverlap(a: CompiledPath, b: CompiledPath): boolean {
  const only = onlyPath(a);
  if (only !== null) return pathMatches(b, only);
  const other = onlyPath(b);
  if (other !== null) return pathMatches(a, other);
  if (a.regex !== null || b.regex !== null || !a.needsSlash || !b.needsSlash) return true;
  const shared = Math.min(a.segments.length, b.segments.length);
  for (let i = 0; i < shared; i += 1) if (!segmentsOverlap(a.segments[i] ?? null, b.segments[i] ?? null)) return false;
  if (a.segments.length === b.segments.length) return true;
  return (a.segments.length < b.segments.length ? a : b).tail === 'below';
}

function segmentsOverlap(a: string | null, b: string | null): boolean {
  if (a === null) return b !== '';
  return b === null ? a !== '' : a === b;
}

/** The one path that an exact condition holds for, else `null`. */
function onlyPath(path: CompiledPath): string | null {
  if (path.regex !== null || path.tail === 'below' || path.segments.includes(null)) return null;
  return `/${path.segments.join('/')}`;
}
