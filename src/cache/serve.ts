import type { CommonFields } from '../exchange/response-sink.ts';
import { evaluatePreconditions } from '../http/conditional.ts';
import { getHeader, type HeaderDraft, isNamed, setHeader } from '../http/headers.ts';
import { formatContentRange, type Wanted, wantedSpans } from '../http/range.ts';
import type { CacheEntry, ServedFields } from './entry.ts';
import { currentAge } from './freshness.ts';
import type { CacheRequest } from './key.ts';
import { byteRanges } from './multipart.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/** A response made from a stored one. */
export interface Served {
  /** A `ResponseHead` whose list is the caller's own, to edit. */
  readonly head: { readonly status: number; readonly headers: HeaderDraft };
  /** What its list begins with, as it is now; not given for what is like no other. */
  readonly common?: CommonFields;
  /** `null` for HEAD and 304, which have none. */
  readonly body: StoredBody | null;
  /** The part of it that is meant; `null` for all. */
  readonly span: ByteSpan | null;
}

/**
 * Answers `request` from `entry`, which `lookup` chose or a validation refreshed: with `Age` (RFC 9111 §5.1), with 304 when the
 * client's own condition says that it has this representation (§4.3.2), and else with the ranges that it asks for, 206 or 416, in
 * the order of RFC 9110 §13.2.2. The body is shared by all readers and must not be written to.
 * Hot: one copy of the header list.
 */
export function serveEntry(entry: CacheEntry, request: CacheRequest, nowMs: number): Served {
  const age = String(currentAge(entry, nowMs));
  if (isNotModified(entry, request)) {
    const common = notModifiedFields(entry);
    return { head: { status: 304, headers: aged(common, age) }, common, body: null, span: null };
  }
  const wanted = wantedOf(entry, request);
  if (wanted !== null) return serveRanges(entry, wanted, age);
  const common = servedFields(entry).whole;
  const body = request.method === 'HEAD' ? null : entry.body;
  return { head: { status: entry.status, headers: aged(common, age) }, common, body, span: null };
}

function servedFields(entry: CacheEntry): ServedFields {
  const { headers, served } = entry;
  if (served !== null && served.of === headers) return served;
  const made = { of: headers, whole: { fields: headers, made: null }, notModified: null };
  entry.served = made;
  return made;
}

function aged({ fields }: CommonFields, age: string): HeaderDraft {
  // slice and push, not concat: 50 ns instead of 260 for ten fields.
  const headers = fields.slice();
  headers.push('Age', age);
  return headers;
}

/**
 * Can `entry`, of whose body there are only parts, answer `request` (RFC 9111 §3.3)? It can when all that is wanted lies inside of
 * them, or when it turns out that nothing of the body is wanted.
 */
export function partsAnswer(parts: readonly ByteSpan[], entry: CacheEntry, request: CacheRequest): boolean {
  if (request.method !== 'GET') return false;
  if (isNotModified(entry, request)) return true;
  const wanted = wantedOf(entry, request);
  if (wanted === null || wanted === 'unsatisfiable') return wanted !== null;
  return wanted.every((span) => parts.some((part) => part.from <= span.from && span.to <= part.to));
}

/**
 * What of `entry` the request's `Range` means. Ranges are for GET, and for what would be a 200 (RFC 9110 §14.2). Of a body that is
 * still arriving, and of which nobody has said how long it will be, there are none: it is sent whole. So is one that was altered here.
 */
function wantedOf(entry: CacheEntry, request: CacheRequest): Wanted {
  const { length } = entry.body;
  if (entry.status !== 200 || request.method !== 'GET' || length === null || entry.altered) return null;
  const { etag, lastModifiedMs, dateMs } = entry;
  return wantedSpans(request.headers, { length, etag, lastModifiedMs, dateMs });
}

function serveRanges(entry: CacheEntry, wanted: NonNullable<Wanted>, age: string): Served {
  const total = entry.body.length ?? 0;
  if (wanted === 'unsatisfiable') return { head: unsatisfiable(entry, total), body: null, span: null };
  const [span] = wanted;
  if (span === undefined || wanted.length > 1) return serveMultipart(entry, wanted, age);
  const headers = rangeHeaders(entry, age);
  headers.push('Content-Range', formatContentRange(span, total), 'Content-Length', String(span.to - span.from));
  return { head: { status: 206, headers }, body: entry.body, span };
}

/**
 * The fields of the 200, with what is different for a part left to be added. RFC 9110 §15.3.7 would have a 206 to `If-Range` say less;
 * everybody sends them all, and a client that has them loses nothing.
 */
function rangeHeaders(entry: CacheEntry, age: string): HeaderDraft {
  const headers: HeaderDraft = [];
  for (let i = 0; i < entry.headers.length; i += 2) {
    const name = entry.headers[i] as string;
    if (!isNamed(name, 'content-length')) headers.push(name, entry.headers[i + 1] as string);
  }
  headers.push('Age', age);
  return headers;
}

/**
 * 416 tells how much there is (§15.5.17). It has nothing of the 200: what says how long that is fresh would make a private cache
 * keep the refusal in its place.
 */
function unsatisfiable(entry: CacheEntry, total: number): Served['head'] {
  const date = getHeader(entry.headers, 'date');
  const headers: HeaderDraft = date === null ? [] : ['Date', date];
  headers.push('Content-Range', `bytes */${total}`, 'Content-Length', '0');
  return { status: 416, headers };
}

/** Several parts in one body (RFC 9110 §14.6). */
function serveMultipart(entry: CacheEntry, spans: readonly ByteSpan[], age: string): Served {
  const contentType = getHeader(entry.headers, 'content-type');
  const { boundary, body } = byteRanges(entry.body, spans, contentType);
  const headers = rangeHeaders(entry, age);
  setHeader(headers, 'Content-Type', `multipart/byteranges; boundary=${boundary}`);
  headers.push('Content-Length', String(body.length));
  return { head: { status: 206, headers }, body, span: null };
}

/**
 * RFC 9110 §13.2.1: a condition counts only where the answer would be a success. `If-Match` and `If-Unmodified-Since` are
 * for the origin; `lookup` sends requests with them there, so a failed precondition is not answered here.
 */
function isNotModified(entry: CacheEntry, request: CacheRequest): boolean {
  if (entry.status < 200 || entry.status > 299) return false;
  // RFC 9111 §4.3.2: without Last-Modified, If-Modified-Since is compared with Date. This is no validator to ask an
  // endpoint with, so the entry does not have it.
  const validators = entry.lastModifiedMs === null ? { etag: entry.etag, lastModifiedMs: entry.dateMs } : entry;
  return evaluatePreconditions(request.method, request.headers, validators) === 'not-modified';
}

/** RFC 9110 §15.4.5: these, if the 200 had them. `Last-Modified` only where no entity tag makes it unnecessary. */
const NOT_MODIFIED_FIELDS = new Set(['cache-control', 'content-location', 'date', 'etag', 'expires', 'vary']);

function notModifiedFields(entry: CacheEntry): CommonFields {
  const served = servedFields(entry);
  if (served.notModified !== null) return served.notModified;
  const fields: HeaderDraft = [];
  for (let i = 0; i < entry.headers.length; i += 2) {
    const name = entry.headers[i] as string;
    const lower = name.toLowerCase();
    if (NOT_MODIFIED_FIELDS.has(lower) || (lower === 'last-modified' && entry.etag === null)) {
      fields.push(name, entry.headers[i + 1] as string);
    }
  }
  served.notModified = { fields, made: null };
  return served.notModified;
}
