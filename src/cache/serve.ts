import { evaluatePreconditions } from '../http/conditional.ts';
import type { HeaderDraft } from '../http/headers.ts';
import type { CacheEntry } from './entry.ts';
import { currentAge } from './freshness.ts';
import type { CacheRequest } from './key.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/** A response made from a stored one. */
export interface Served {
  /** A `ResponseHead` whose list is the caller's own, to edit. */
  readonly head: { readonly status: number; readonly headers: HeaderDraft };
  /** `null` for HEAD and 304, which have none. */
  readonly body: StoredBody | null;
  /** The part of it that is meant; `null` for all. */
  readonly span: ByteSpan | null;
}

/**
 * Answers `request` from `entry`, which `lookup` chose or a validation refreshed: with `Age` (RFC 9111 §5.1), and with 304
 * when the client's own condition says that it has this representation (§4.3.2). `Range` is ignored, which a server may
 * do at any time (RFC 9110 §14.2). The body is shared by all readers and must not be written to.
 * Hot: one copy of the header list.
 */
export function serveEntry(entry: CacheEntry, request: CacheRequest, nowMs: number): Served {
  const age = String(currentAge(entry, nowMs));
  if (isNotModified(entry, request)) {
    return { head: { status: 304, headers: notModifiedHeaders(entry, age) }, body: null, span: null };
  }
  // slice and push, not concat: 50 ns instead of 260 for ten fields.
  const headers = entry.headers.slice();
  headers.push('Age', age);
  const body = request.method === 'HEAD' ? null : entry.body;
  return { head: { status: entry.status, headers }, body, span: null };
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

function notModifiedHeaders(entry: CacheEntry, age: string): HeaderDraft {
  const headers: HeaderDraft = [];
  for (let i = 0; i < entry.headers.length; i += 2) {
    const name = entry.headers[i] as string;
    const lower = name.toLowerCase();
    if (NOT_MODIFIED_FIELDS.has(lower) || (lower === 'last-modified' && entry.etag === null)) {
      headers.push(name, entry.headers[i + 1] as string);
    }
  }
  headers.push('Age', age);
  return headers;
}
