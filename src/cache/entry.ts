import type { CommonFields, ResponseHead } from '../exchange/response-sink.ts';
import { formatHttpDate, parseHttpDate } from '../http/date.ts';
import { getHeader, type HeaderDraft, type HeaderList, hasHeader } from '../http/headers.ts';
import { responseEndToEnd } from '../http/hop-by-hop.ts';
import type { EntryHead } from './entry-codec.ts';
import { type ExchangeTimes, initialAgeMs, originDateMs } from './freshness.ts';
import { type CacheRequest, primaryKey, type VaryField } from './key.ts';
import { ownFields, weighFields, weighText } from './own-fields.ts';
import type { Storable } from './storability.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/** What was made of a response before it was stored: its body is another than the endpoint's, with the same meaning. */
export interface Altered {
  /** The entity tag that the endpoint gave it, and knows it by; `null` for none. */
  readonly endpointTag: string | null;
}

/** A stored response. Immutable: a successful validation makes a new one around the same body. */
export interface CacheEntry {
  readonly key: string;
  readonly partition: string;
  readonly vary: readonly VaryField[];
  readonly status: number;
  /**
   * What is served but for `Age`: the origin's end-to-end fields, without those that may not be stored (RFC 9111 §3.1,
   * §5.2.2.4, §5.2.2.7), with a `Date` and the true `Content-Length` where it is known.
   */
  readonly headers: HeaderList;
  readonly body: StoredBody;
  /** What there is of the body, in order, with gaps between; `null` for all of it. Only what lies inside may be served (RFC 9111 §3.3). */
  readonly parts: readonly ByteSpan[] | null;
  /** Milliseconds since the epoch when the head arrived, or when it was last validated. */
  readonly receivedAtMs: number;
  /** The origin's `Date`; the time of receipt when it sent none that can be read. */
  readonly dateMs: number;
  /** `corrected_initial_age` of RFC 9111 §4.2.3, in milliseconds. */
  readonly initialAgeMs: number;
  /** Freshness lifetime (§4.2.1), counted from age 0. Live: a purge that leaves the entry ends it. */
  freshMs: number;
  /** `no-cache`: every use needs a successful validation (§5.2.2.4). */
  readonly validateAlways: boolean;
  /** `must-revalidate`, `proxy-revalidate` or `s-maxage`: never served stale, whatever the client allows (§4.2.4). */
  readonly mustRevalidate: boolean;
  /** It does not change while it is fresh: a client's `max-age` is no reason to validate it, `no-cache` is (RFC 8246 §2.1). */
  readonly immutable: boolean;
  /** How long past its freshness it may be served while it is refreshed in the background (RFC 5861 §3); 0 for not at all. */
  readonly staleWhileRevalidateMs: number;
  /** The same while its endpoint fails (RFC 5861 §4). */
  readonly staleIfErrorMs: number;
  readonly etag: string | null;
  /** What the endpoint is asked by: another than `etag` where the body was altered on its way here. */
  readonly endpointTag: string | null;
  /** Its body is not the endpoint's: no part of it is served, since none could be put together with one of the endpoint's. */
  readonly altered: boolean;
  readonly lastModifiedMs: number | null;
  readonly hasSetCookie: boolean;
  /** What it can be purged by besides its URL (`packTags`); empty for nothing. */
  readonly tags: string;
  /** Live: the store's epoch up to which it was compared with purges; 0 before it is stored. */
  comparedAt: number;
  /** Memory accounted for all of this, in bytes. */
  readonly bytes: number;
  /** Live state: it was offered to the second tier of the store, or has come from there. */
  offered: boolean;
  /** Live state of the store in memory: it answered a request since its turn to be evicted came last. */
  used: boolean;
  /** The same: what it is known by in the statistics of what is asked for. */
  hash: number;
  /** Live: what is served of it again and again, made when it is served first. */
  served: ServedFields | null;
}

/** The fields of responses that are made from one stored response, but for those that each of them adds. */
export interface ServedFields {
  /** The stored response's own, by which is known that this belongs to it: entries are copied. */
  readonly of: HeaderList;
  readonly whole: CommonFields;
  /** Of a 304; `null` before there was one. */
  notModified: CommonFields | null;
}

/** What an entry is made of. */
export interface EntryParts {
  readonly request: CacheRequest;
  readonly head: ResponseHead;
  readonly verdict: Storable;
  readonly times: ExchangeTimes;
  readonly body: StoredBody;
  /** Default `null`: all of it. */
  readonly parts?: readonly ByteSpan[] | null;
  /** Default `null`: nothing. */
  readonly altered?: Altered | null;
}

/** Builds the entry for a complete response that `storability` allowed. */
export function makeEntry(parts: EntryParts): CacheEntry {
  const { request, head, verdict, times, body, altered = null } = parts;
  const key = primaryKey(request);
  const length = parts.parts === undefined || parts.parts === null ? body.length : null;
  const headers = storedHeaders(head, {
    ...{ omit: verdict.omit, receivedAtMs: times.receivedAtMs, length },
    hasRanges: altered === null,
  });
  const dateMs = originDateMs(head.headers, times.receivedAtMs);
  const lastModified = getHeader(headers, 'last-modified');
  const etag = getHeader(headers, 'etag');
  return {
    key,
    partition: request.partition,
    vary: verdict.vary,
    status: head.status,
    headers,
    body,
    parts: parts.parts ?? null,
    receivedAtMs: times.receivedAtMs,
    dateMs,
    initialAgeMs: initialAgeMs(head.headers, dateMs, times),
    freshMs: verdict.freshMs,
    validateAlways: verdict.validateAlways,
    mustRevalidate: verdict.mustRevalidate,
    immutable: verdict.immutable,
    staleWhileRevalidateMs: verdict.staleWhileRevalidateMs,
    staleIfErrorMs: verdict.staleIfErrorMs,
    etag,
    endpointTag: altered === null ? etag : altered.endpointTag,
    altered: altered !== null,
    lastModifiedMs: lastModified === null ? null : parseHttpDate(lastModified),
    hasSetCookie: getHeader(headers, 'set-cookie') !== null,
    tags: verdict.tags,
    comparedAt: 0,
    bytes: body.heldBytes + weighHead(key, request.partition, headers, verdict.vary) + verdict.tags.length,
    offered: false,
    used: false,
    hash: 0,
    served: null,
  };
}

/** The same response with its body elsewhere, and nobody was offered it yet. */
export function withBody(entry: CacheEntry, body: StoredBody): CacheEntry {
  const bytes = entry.bytes - entry.body.heldBytes + body.heldBytes;
  return { ...entry, body, bytes, offered: false, used: false, served: null };
}

/** An entry as it was, from what was written down of it. */
export function restoredEntry(head: EntryHead, body: StoredBody): CacheEntry {
  const bytes = body.heldBytes + weighHead(head.key, head.partition, head.headers, head.vary) + head.tags.length;
  return { ...head, body, bytes, comparedAt: 0, offered: false, used: false, hash: 0, served: null };
}

/**
 * Fields of this response alone, not of the stored one. `Age` is computed anew, `Content-Length` counted; the other fields of §3.1
 * have gone with the connection, but for this one, which is no field of responses.
 */
const NOT_STORED = new Set(['age', 'content-length', 'proxy-authorization']);

function storedHeaders(
  head: ResponseHead,
  facts: {
    readonly omit: readonly string[];
    readonly receivedAtMs: number;
    readonly length: number | null;
    readonly hasRanges: boolean;
  },
): HeaderList {
  const stored: HeaderDraft = [];
  const endToEnd = responseEndToEnd(head.headers);
  let dated = false;
  for (let i = 0; i < endToEnd.length; i += 2) {
    const name = endToEnd[i] as string;
    const value = endToEnd[i + 1] as string;
    const lower = name.toLowerCase();
    if (NOT_STORED.has(lower) || facts.omit.includes(lower)) continue;
    if (lower === 'date') {
      // A repeated or unreadable Date is no Date (RFC 9110 §6.6.1).
      if (dated || parseHttpDate(value) === null) continue;
      dated = true;
    }
    stored.push(name, value);
  }
  if (!dated) stored.push('Date', formatHttpDate(facts.receivedAtMs));
  // RFC 9110 §8.6: a 204 must not have one.
  if (head.status !== 204 && facts.length !== null) stored.push('Content-Length', String(facts.length));
  // Whatever the endpoint can do, ranges come from here (RFC 9110 §14.3).
  if (head.status === 200 && facts.hasRanges && !hasHeader(stored, 'accept-ranges'))
    stored.push('Accept-Ranges', 'bytes');
  return ownFields(stored);
}

// What an entry costs beyond its texts and its body, with its share of the segments and of the index, measured on Node 26 (node
// bench/cache.ts --memory). The tables double when they grow: an entry has between 60 bytes of them and 140. That leaves room for
// the 112 of `served`; the texts that a downstream keeps with it have a bound of their own.
const ENTRY_BYTES = 640;
const VARY_FIELD_BYTES = 56;

function weighHead(key: string, partition: string, headers: HeaderList, vary: readonly VaryField[]): number {
  let bytes = ENTRY_BYTES + weighText(key.length) + weighText(partition.length) + weighFields(headers);
  for (const { raw, normalised } of vary) {
    bytes += VARY_FIELD_BYTES + weighText(raw?.length ?? 0) + weighText(normalised?.length ?? 0);
  }
  return bytes;
}
