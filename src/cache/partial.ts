import type { ResponseHead } from '../exchange/response-sink.ts';
import { strongEqual } from '../http/conditional.ts';
import { parseHttpDate } from '../http/date.ts';
import { getHeader, type HeaderDraft, type HeaderList } from '../http/headers.ts';
import {
  asksForRange,
  type ByteSpan,
  type ContentRange,
  contentRange,
  formatRange,
  isStrongDate,
} from '../http/range.ts';
import { type CacheEntry, makeEntry } from './entry.ts';
import { type ExchangeTimes, originDateMs } from './freshness.ts';
import { type CacheRequest, sameVary } from './key.ts';
import { MemoryBody } from './memory-body.ts';
import { missingOf, type Part, PartialBody, withPart } from './partial-body.ts';
import { type Piece, PiecedBody } from './pieced-body.ts';
import type { CachePolicy } from './policy.ts';
import { apply304, type Updating } from './revalidate.ts';
import { type NotStored, type Storable, storability } from './storability.ts';
import type { CacheStore } from './store.ts';
import type { StoredBody } from './stored-body.ts';
import { stripTags } from './tags.ts';

/** A 206 that may be stored, as a part of the 200 that it stands for. */
export interface StorablePart {
  readonly store: true;
  readonly range: ContentRange;
  /** The 200's, as far as a 206 tells. */
  readonly head: ResponseHead;
  readonly verdict: Storable;
}

/**
 * May this 206 be stored as an incomplete response (RFC 9111 §3.3)? Under the conditions of a 200, if it has one `Content-Range` that
 * makes sense and fits its `Content-Length`, and a strong validator: without one, no other part could ever be told to be of the
 * same version (RFC 9110 §15.3.7.3). `asked`: by a `Range` of the client's, or of ours.
 */
export function partStorability(
  response: ResponseHead,
  asked: { readonly request: CacheRequest; readonly byUs: boolean },
  policy: CachePolicy,
  { receivedAtMs, requestedAtMs }: ExchangeTimes,
): StorablePart | { readonly store: false; readonly why: NotStored } {
  const { request, byUs } = asked;
  if (!byUs && !asksForRange(request.headers)) return refuse('partial');
  const headers = wholeFields(response.headers);
  const head: ResponseHead = { status: 200, headers };
  const verdict = storability(request, head, policy, receivedAtMs, requestedAtMs);
  if (!verdict.store) return verdict;
  stripTags(headers, policy.tags);
  const range = contentRange(response.headers);
  const length = getHeader(response.headers, 'content-length');
  if (range === null || (length !== null && Number(length) !== range.to - range.from)) return refuse('content-range');
  return hasStrongValidator(head.headers, receivedAtMs)
    ? { store: true, range, head, verdict }
    : refuse('weak-validator');
}

function refuse(why: NotStored): { readonly store: false; readonly why: NotStored } {
  return { store: false, why };
}

/** What describes the part and not the whole. A digest of content is that of these bytes alone (RFC 9530 §2). */
const OF_THE_PART = new Set(['content-range', 'content-digest', 'content-md5']);

function wholeFields(headers: HeaderList): HeaderDraft {
  const whole: HeaderDraft = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] as string;
    if (!OF_THE_PART.has(name.toLowerCase())) whole.push(name, headers[i + 1] as string);
  }
  return whole;
}

function hasStrongValidator(headers: HeaderList, receivedAtMs: number): boolean {
  const etag = getHeader(headers, 'etag');
  if (etag !== null) return isStrongTag(etag);
  const lastModified = getHeader(headers, 'last-modified');
  const lastModifiedMs = lastModified === null ? null : parseHttpDate(lastModified);
  return lastModifiedMs !== null && isStrongDate(lastModifiedMs, originDateMs(headers, receivedAtMs));
}

function isStrongTag(etag: string): boolean {
  return strongEqual(etag, etag) && etag.startsWith('"');
}

/** Are both of one version, by a strong validator (RFC 9110 §15.3.7.3)? Where one has a tag, no date will do. */
function isSameVersion(a: CacheEntry, b: CacheEntry): boolean {
  if (a.etag !== null || b.etag !== null) return a.etag !== null && b.etag !== null && strongEqual(a.etag, b.etag);
  if (a.lastModifiedMs === null || a.lastModifiedMs !== b.lastModifiedMs) return false;
  return isStrongDate(a.lastModifiedMs, a.dateMs) && isStrongDate(b.lastModifiedMs, b.dateMs);
}

/** A part that has arrived. */
export interface ArrivedPart {
  readonly store: CacheStore;
  readonly request: CacheRequest;
  readonly policy: CachePolicy;
  readonly part: StorablePart;
  readonly times: ExchangeTimes;
}

/**
 * What is to be stored now that the body of a 206 is there: it alone; or together with what was stored of the same version, whose fields
 * it updates (RFC 9111 §3.4); a complete 200 when nothing is missing any more. `null` when nothing is gained: the whole is stored already,
 * or both together are too large for one object.
 */
export function entryWithPart(arrived: ArrivedPart, chunks: readonly Uint8Array[]): CacheEntry | null {
  const { store, request, part, times, policy } = arrived;
  const { range, head, verdict } = part;
  const own: Part = { from: range.from, to: range.to, body: new MemoryBody(chunks) };
  const alone = makeEntry({ request, head, verdict, times, ...bodyOf(range.total, [own]) });
  const stored = sameVariant(store, alone);
  if (stored === null || !isSameVersion(stored, alone) || stored.body.length !== range.total) return alone;
  if (!(stored.body instanceof PartialBody)) return null;
  const together = bodyOf(range.total, withPart(stored.body.parts, own));
  if (together.body.heldBytes > policy.objectBytes) return null;
  return apply304(stored, { ...arrived, head }, together).keep;
}

function sameVariant(store: CacheStore, entry: CacheEntry): CacheEntry | null {
  const { partition, vary } = entry;
  return store.get(entry.key).find((other) => other.partition === partition && sameVary(other.vary, vary)) ?? null;
}

/** The body of an entry of which there is this much. */
function bodyOf(total: number, parts: readonly Part[]): Pick<CacheEntry, 'body' | 'parts'> {
  const [first] = parts;
  if (first !== undefined && first.from === 0 && first.to === total) return { body: first.body, parts: null };
  return { body: new PartialBody(total, parts), parts: parts.map(({ from, to }) => ({ from, to })) };
}

/** What is missing of a stored response, and the fields that ask for it: nothing but that, and only of the same version (RFC 9110 §13.1.5). */
export interface Rest {
  readonly span: ByteSpan;
  readonly conditional: HeaderList;
}

/**
 * What completes `entry`: where one stretch is missing, and its entity tag is strong. `null` for what would need several requests, or
 * can't be asked for safely.
 */
export function restOf(entry: CacheEntry): Rest | null {
  const { parts, etag, body } = entry;
  if (parts === null || body.length === null || etag === null || !isStrongTag(etag)) return null;
  const [span, more] = missingOf(parts, { from: 0, to: body.length });
  if (span === undefined || more !== undefined) return null;
  return { span, conditional: ['Range', formatRange(span, body.length), 'If-Range', etag] };
}

/**
 * The whole, made of what is stored in `entry` and of `rest`, which is arriving, under the fields of both; `null` when `part`, the answer to
 * what `restOf` asked, is not what was asked for, or of another version. Can be served, but not stored: that is done when all is there.
 */
export function completed(
  entry: CacheEntry,
  missing: ByteSpan,
  part: StorablePart,
  arriving: { readonly updating: Omit<Updating, 'head'>; readonly rest: StoredBody },
): CacheEntry | null {
  const { from, to, total } = part.range;
  const etag = getHeader(part.head.headers, 'etag');
  if (etag === null || entry.etag === null || !strongEqual(etag, entry.etag)) return null;
  if (from !== missing.from || to !== missing.to || total !== entry.body.length) return null;
  const pieces: Piece[] = [];
  if (from > 0) pieces.push({ body: entry.body, span: { from: 0, to: from } });
  pieces.push({ body: arriving.rest, span: { from: 0, to: to - from } });
  if (to < total) pieces.push({ body: entry.body, span: { from: to, to: total } });
  const body = new PiecedBody(pieces);
  return apply304(entry, { ...arriving.updating, head: part.head }, { body, parts: null }).serve;
}
