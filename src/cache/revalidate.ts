import type { ResponseHead } from '../exchange/response-sink.ts';
import { strongEqual, weakEqual } from '../http/conditional.ts';
import { parseHttpDate } from '../http/date.ts';
import { getHeader, type HeaderDraft, type HeaderList, noHeaders } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import { type CacheEntry, makeEntry } from './entry.ts';
import type { ExchangeTimes } from './freshness.ts';
import type { CacheRequest, VaryField } from './key.ts';
import type { CachePolicy } from './policy.ts';
import { type Storable, storability } from './storability.ts';
import type { CacheStore } from './store.ts';
import { stripTags } from './tags.ts';
import { isAboutRequest } from './ttl.ts';

/**
 * The conditions that ask the endpoint whether `entry` still holds (RFC 9111 §4.3.1): `If-None-Match` and
 * `If-Modified-Since`, each where there is a validator for it. Empty when there is none.
 *
 * They *replace* the client's conditions on the way upstream. Sending both would allow a 304 that is about the client's
 * copy and not about ours. The client's are evaluated afterwards, against the answer, by `serveEntry`; should the endpoint
 * answer 200, the client gets the 200, which is always a correct answer to a condition.
 */
export function conditionalFields(entry: CacheEntry): HeaderList {
  const lastModified = entry.lastModifiedMs === null ? null : getHeader(entry.headers, 'last-modified');
  if (entry.endpointTag === null && lastModified === null) return noHeaders;
  const fields: HeaderDraft = [];
  // What was compressed or changed here has a weak tag, which its endpoint may never have heard of.
  if (entry.endpointTag !== null) fields.push('If-None-Match', entry.endpointTag);
  if (lastModified !== null) fields.push('If-Modified-Since', lastModified);
  return fields;
}

/** A head whose fields update a stored response. */
export interface Updating {
  readonly request: CacheRequest;
  /** As the endpoint sent it. */
  readonly head: ResponseHead;
  readonly policy: CachePolicy;
  readonly times: ExchangeTimes;
}

/** The 304 to a request that carried `conditionalFields(entry)`. */
export interface Validation extends Updating {
  /** The store's epoch when the request was looked up: `Lookup.epoch`. */
  readonly epoch: number;
}

/** A stored response that a 304 confirmed. */
export interface Revalidated {
  /** Answers this request, through `serveEntry`. May hold fields that are for this client only, so it is not to be stored. */
  readonly serve: CacheEntry;
  /** What takes the old entry's place, or `null` when the 304 brought something that forbids it (`private`, `no-store`). */
  readonly keep: CacheEntry | null;
}

/**
 * Is this 304 about `entry` (RFC 9111 §4.3.4)? Only one response was named in the request, so what contradicts it is an
 * endpoint that confuses representations: then nothing was validated, and the request has to be sent again without conditions.
 * Entity tags are compared weakly: nginx marks the tag of a compressed 200 as weak, and not that of its 304.
 */
export function belongsTo(entry: CacheEntry, notModified: ResponseHead): boolean {
  const etag = getHeader(notModified.headers, 'etag');
  if (etag !== null && entry.etag !== null) return weakEqual(etag, entry.etag);
  const lastModified = getHeader(notModified.headers, 'last-modified');
  const lastModifiedMs = lastModified === null ? null : parseHttpDate(lastModified);
  return lastModifiedMs === null || entry.lastModifiedMs === null || lastModifiedMs <= entry.lastModifiedMs;
}

/**
 * The entry with its fields updated from a 304 that belongs to it (RFC 9111 §3.2, §4.3.4), and its age and freshness
 * reckoned anew from the 304. The body is that of `entry`, or `held`. Pure: storing is up to `settle304`.
 */
export function apply304(
  entry: CacheEntry,
  validation: Updating,
  held: Pick<CacheEntry, 'body' | 'parts'> = entry,
): Revalidated {
  const { request, policy, times } = validation;
  const headers = updatedFields(entry, validation.head.headers);
  const head: ResponseHead = { status: entry.status, headers };
  const verdict = storability(request, head, policy, times.receivedAtMs, times.requestedAtMs);
  stripTags(headers, policy.tags);
  const altered = entry.altered ? { endpointTag: entry.endpointTag } : null;
  const parts = { request, head, times, body: held.body, parts: held.parts, altered };
  if (!verdict.store) return { serve: makeEntry({ ...parts, verdict: servedOnce(entry) }), keep: null };
  // One that says nothing of tags leaves them as they were.
  const kept = verdict.tags === '' ? { ...verdict, tags: entry.tags } : verdict;
  const keep = makeEntry({ ...parts, verdict: kept });
  // Fields that only a validation may pass on (§5.2.2.4): this client's request was one, the next one's is not.
  const serve = verdict.omit.length === 0 ? keep : makeEntry({ ...parts, verdict: { ...kept, omit: [] } });
  return { serve, keep };
}

function servedOnce(entry: CacheEntry): Storable {
  return {
    ...{ store: true, freshMs: 0, validateAlways: true, mustRevalidate: true, immutable: false },
    ...{ staleWhileRevalidateMs: 0, staleIfErrorMs: 0, vary: entry.vary, tags: entry.tags, omit: [] },
  };
}

/**
 * The body is as it was stored, and so must be what describes its bytes (RFC 9111 §3.2). `Content-Digest` and `Content-MD5`
 * of a 304 are those of no bytes at all (RFC 9530 §2).
 */
const NOT_UPDATED = new Set(['content-length', 'content-encoding', 'content-range', 'content-digest', 'content-md5']);

/** The same where the stored body is not the one that the 304 is about: what that one's digests are, and that there are parts of it. */
const NOT_UPDATED_IF_ALTERED = new Set([...NOT_UPDATED, 'repr-digest', 'digest', 'accept-ranges']);

/**
 * Stored fields, each one that the 304 has replaced by all of its lines. A weak entity tag stays weak: it tells that these bytes are
 * not the ones that the strong tag of the same name stands for.
 */
function updatedFields(entry: CacheEntry, notModified: HeaderList): HeaderDraft {
  const notUpdated = entry.altered ? NOT_UPDATED_IF_ALTERED : NOT_UPDATED;
  const isKept = (lower: string): boolean =>
    notUpdated.has(lower) || (lower === 'etag' && entry.etag !== null && entry.etag.startsWith('W/'));
  const update = responseEndToEnd(notModified);
  const names = new Set<string>();
  for (let i = 0; i < update.length; i += 2) names.add((update[i] as string).toLowerCase());
  // A 304 without Date was made when it arrived (RFC 9110 §6.6.1). The old Date would make it look as old as the first answer.
  names.add('date');
  const fields: HeaderDraft = [];
  for (let i = 0; i < entry.headers.length; i += 2) {
    const lower = (entry.headers[i] as string).toLowerCase();
    if (names.has(lower) && !isKept(lower)) continue;
    fields.push(entry.headers[i] as string, entry.headers[i + 1] as string);
  }
  for (let i = 0; i < update.length; i += 2) {
    if (isKept((update[i] as string).toLowerCase())) continue;
    fields.push(update[i] as string, update[i + 1] as string);
  }
  return fields;
}

/** A 304 brought home. `stored`: the updated entry is in the store. */
export type Settled =
  | { readonly kind: 'confirmed'; readonly serve: CacheEntry; readonly stored: boolean }
  | { readonly kind: 'mismatch' };

/**
 * Applies a 304 and brings the store up to date. `mismatch`: the 304 is about something else, `entry` is dropped, and the
 * request must be sent again as a plain miss.
 * An entry that left the store while the endpoint was asked stays away: it was replaced, evicted, or invalidated by an
 * unsafe request or a purge that the 304 may have overtaken (RFC 9111 §4.4).
 */
export function settle304(store: CacheStore, entry: CacheEntry, validation: Validation): Settled {
  if (!belongsTo(entry, validation.head)) {
    store.remove(entry);
    return { kind: 'mismatch' };
  }
  const { serve, keep } = apply304(entry, validation);
  const tag = getHeader(validation.head.headers, 'etag');
  if (tag !== null && keep !== null) updateAlike(store, entry, { ...validation, tag });
  // Purged meanwhile: what the store has left of it is stale, and stays so. The endpoint may have answered before the change.
  const purged =
    store.invalidatedSince(entry, validation.epoch) ||
    (keep !== null && store.invalidatedSince(keep, validation.epoch));
  if (purged && keep !== null) return { kind: 'confirmed', serve, stored: false };
  if (keep !== null && store.has(entry)) return { kind: 'confirmed', serve, stored: store.replace(entry, keep) };
  store.remove(entry);
  return { kind: 'confirmed', serve, stored: false };
}

/**
 * The 304 is about every variant with its strong validator (RFC 9111 §4.3.4): selected by other requests, but the same bytes. What
 * was purged while the endpoint was asked stays as it is.
 */
function updateAlike(
  store: CacheStore,
  entry: CacheEntry,
  validation: Validation & { readonly epoch: number; readonly tag: string },
): void {
  for (const other of store.get(entry.key).slice()) {
    if (other === entry || other.partition !== entry.partition || !strongEqual(validation.tag, other.etag ?? ''))
      continue;
    const { keep } = apply304(other, validation);
    if (keep === null || !sameNames(keep.vary, other.vary) || store.invalidatedSince(other, validation.epoch)) continue;
    store.replace(other, { ...keep, vary: other.vary });
  }
}

function sameNames(a: readonly VaryField[], b: readonly VaryField[]): boolean {
  return a.length === b.length && a.every(({ name }, i) => b[i]?.name === name);
}

/**
 * A full answer came instead of a 304 (RFC 9111 §4.3.3), and it is not to be stored: what the store has is outdated.
 * A 5xx says nothing about the resource, nor does a 4xx that one client's fields or credentials provoked; the entry stays, for the next
 * validation.
 */
export function supersede(store: CacheStore, entry: CacheEntry, status: number): void {
  if (status < 500 && !isAboutRequest(status)) store.remove(entry);
}
