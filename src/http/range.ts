import { strongEqual, type Validators } from './conditional.ts';
import { parseHttpDate } from './date.ts';
import { getHeaders, type HeaderList } from './headers.ts';

/** Bytes `from` to before `to`, counted from 0. */
export interface ByteSpan {
  readonly from: number;
  readonly to: number;
}

/** What a request wants of a representation: `null` for all of it, else the bytes, or that there are none of those. */
export type Wanted = readonly ByteSpan[] | 'unsatisfiable' | null;

/** The representation that would be sent whole without `Range`. */
export interface Ranged extends Validators {
  /** Bytes of the whole. */
  readonly length: number;
  /** Its `Date`: how old the modification was when the response was made decides whether the date is a strong validator. */
  readonly dateMs: number;
}

/**
 * One request may name so many ranges. More are ignored: who needs more asks twice, and who means harm gets no amplification out
 * of it (RFC 9110 §17.15).
 */
export const MAX_RANGES = 32;

/** Ranges nearer to each other than what a part's head costs are sent as one (§15.3.7.2). */
const GAP_BYTES = 80;

/** One position of a range-set: `first-`, `first-last`, or `-suffix` (§14.1.1). */
interface RangeSpec {
  /** `null` for a suffix. */
  readonly first: number | null;
  /** Last position, inclusive; length of a suffix; `Infinity` where it is left out. */
  readonly last: number;
}

/**
 * The bytes that a GET with these fields wants (RFC 9110 §14.2), its preconditions already met: overlapping, adjacent and close
 * ranges become one, in the order in which they were asked for, at most MAX_RANGES. `null`: `Range` is absent, malformed, of
 * another unit, or its `If-Range` is not met: then all is sent, as if it were absent. So it is for a representation without bytes,
 * of which no `Content-Range` could tell a part.
 */
export function wantedSpans(requestHeaders: HeaderList, representation: Ranged): Wanted {
  const specs = rangeSpecs(requestHeaders);
  if (specs === null || representation.length === 0 || !meetsIfRange(requestHeaders, representation)) return null;
  const spans: ByteSpan[] = [];
  for (const spec of specs) {
    const span = spanOf(spec, representation.length);
    if (span !== null) coalesce(spans, span);
  }
  return spans.length === 0 ? 'unsatisfiable' : spans;
}

/** Does the request have a `Range` that would count if its `If-Range`, if any, is met? */
export function asksForRange(requestHeaders: HeaderList): boolean {
  return rangeSpecs(requestHeaders) !== null;
}

const RANGE_UNIT = /^bytes=/i;
const RANGE_SPEC = /^(?:(\d+)-(\d*)|-(\d+))$/;

/** `null`: to be ignored. One invalid member makes the whole invalid (§14.1.1). */
function rangeSpecs(headers: HeaderList): readonly RangeSpec[] | null {
  const lines = getHeaders(headers, 'range');
  const [text] = lines;
  // Not a list field: two lines have no defined meaning (§5.3).
  if (text === undefined || lines.length > 1 || !RANGE_UNIT.test(text)) return null;
  const specs: RangeSpec[] = [];
  for (const part of text.slice('bytes='.length).split(',')) {
    const member = part.trim();
    // Empty members are legal in a list that is received (§5.6.1.2).
    if (member === '') continue;
    const spec = parseSpec(member);
    if (spec === null || specs.length === MAX_RANGES) return null;
    specs.push(spec);
  }
  return specs.length === 0 ? null : specs;
}

/** Positions may have any number of digits. Above 2^53 they lose precision, and lie beyond every representation either way. */
function parseSpec(text: string): RangeSpec | null {
  const match = RANGE_SPEC.exec(text);
  if (match === null) return null;
  const [, first, last, suffix] = match;
  if (first === undefined) return { first: null, last: Number(suffix) };
  const spec = {
    first: Number(first),
    last: last === '' || last === undefined ? Number.POSITIVE_INFINITY : Number(last),
  };
  return spec.last < spec.first ? null : spec;
}

/** What there is of it in `length` bytes; `null` for nothing (§14.1.2). */
function spanOf({ first, last }: RangeSpec, length: number): ByteSpan | null {
  if (first === null) return last === 0 ? null : { from: Math.max(0, length - last), to: length };
  return first >= length ? null : { from: first, to: Math.min(last + 1, length) };
}

/** Adds `span`, and takes the place of the first of those that it touches. */
function coalesce(spans: ByteSpan[], span: ByteSpan): void {
  let { from, to } = span;
  let at = spans.length;
  for (let i = spans.length - 1; i >= 0; i -= 1) {
    const other = spans[i] as ByteSpan;
    if (other.from - to >= GAP_BYTES || from - other.to >= GAP_BYTES) continue;
    from = Math.min(from, other.from);
    to = Math.max(to, other.to);
    spans.splice(i, 1);
    at = i;
    // Larger now, it may reach those that were too far from it before.
    i = spans.length;
  }
  spans.splice(at, 0, { from, to });
}

/**
 * Is `If-Range` met, if there is one (§13.1.5)? An entity tag by strong comparison; a date when it is exactly `Last-Modified` and
 * that is a strong validator: the response was made at least a second later (§8.8.2.2). What is neither is not met.
 */
function meetsIfRange(headers: HeaderList, { etag, lastModifiedMs, dateMs }: Ranged): boolean {
  const lines = getHeaders(headers, 'if-range');
  const [text] = lines;
  if (text === undefined) return true;
  if (lines.length > 1) return false;
  const value = text.trim();
  if (value.startsWith('"') || value.startsWith('W/')) return etag !== null && strongEqual(value, etag);
  return lastModifiedMs !== null && isStrongDate(lastModifiedMs, dateMs) && parseHttpDate(value) === lastModifiedMs;
}

/** Could the representation not have changed twice within the second that `Last-Modified` names (RFC 9110 §8.8.2.2)? */
export function isStrongDate(lastModifiedMs: number, dateMs: number): boolean {
  return dateMs - lastModifiedMs >= 1000;
}

/** What a `Content-Range` says of a single part (§14.4). */
export interface ContentRange extends ByteSpan {
  /** Bytes of the whole. */
  readonly total: number;
}

/** Largest position that is exact, and far above what anybody stores. */
const CONTENT_RANGE = /^bytes (\d{1,15})-(\d{1,15})\/(\d{1,15})$/i;

/**
 * The one `Content-Range` of a 206, or `null` where there is none, more than one, one of another unit, one that does not know
 * the whole's length (`*`), or one that makes no sense: it ends before it begins, or beyond the whole (§14.4).
 */
export function contentRange(responseHeaders: HeaderList): ContentRange | null {
  const lines = getHeaders(responseHeaders, 'content-range');
  const match = lines.length === 1 ? CONTENT_RANGE.exec((lines[0] as string).trim()) : null;
  if (match === null) return null;
  const from = Number(match[1]);
  const to = Number(match[2]) + 1;
  const total = Number(match[3]);
  return from < to && to <= total ? { from, to, total } : null;
}

/** `bytes 0-4/10`. */
export function formatContentRange({ from, to }: ByteSpan, total: number): string {
  return `bytes ${from}-${to - 1}/${total}`;
}

/** `bytes=5-9`, or `bytes=5-` for all from there. */
export function formatRange({ from, to }: ByteSpan, total: number): string {
  return to === total ? `bytes=${from}-` : `bytes=${from}-${to - 1}`;
}
