import { type HeaderList, hasHeader } from '../http/headers.ts';
import { asksForRange } from '../http/range.ts';
import { type BypassReason, requestTraits, usability } from './demands.ts';
import type { CacheEntry } from './entry.ts';
import { remainingMs } from './freshness.ts';
import { type CacheRequest, matchesVary, primaryKey } from './key.ts';
import { type Rest, restOf } from './partial.ts';
import { type CachePolicy, sharesCookies } from './policy.ts';
import { conditionalFields } from './revalidate.ts';
import { partsAnswer } from './serve.ts';
import type { CacheStore } from './store.ts';

export type { CacheRequest } from './key.ts';

/**
 * Why a stored response, if any, did not do, in the words of RFC 9211 §2.2. `vary-miss`: there are responses for this URI,
 * none for this request. `request`: the client demanded something newer. `partial`: there are parts, and not all that it wants.
 */
export type MissReason = 'uri-miss' | 'vary-miss' | 'stale' | 'request' | 'partial';

/** What the cache says to a request (RFC 9111 §4). */
export type Lookup =
  /**
   * Answer with `entry`. `ttlMs` of freshness are left; negative when the client accepted a stale one, or the origin does.
   * `refresh`: ask the endpoint afterwards, for the next clients (RFC 5861 §3).
   */
  | { readonly kind: 'hit'; readonly entry: CacheEntry; readonly ttlMs: number; readonly refresh: boolean }
  /** Ask the endpoint whether `entry` still holds: `conditional` replaces the conditions of the client's request. */
  | {
      readonly kind: 'revalidate';
      readonly entry: CacheEntry;
      readonly why: 'stale' | 'request';
      readonly conditional: HeaderList;
      /** For `FillPlan.epoch`, should the endpoint send a new response. */
      readonly epoch: number;
    }
  /** Ask the endpoint for what is missing of `entry`, on condition that it is still the same: `conditional` does both. */
  | ({ readonly kind: 'complete'; readonly entry: CacheEntry; readonly why: 'partial'; readonly epoch: number } & Rest)
  /** Forward, and store what comes if `storability` allows. */
  | { readonly kind: 'miss'; readonly why: MissReason; readonly epoch: number }
  /** Forward, and don't store: neither request nor response is the cache's business. */
  | { readonly kind: 'bypass'; readonly why: BypassReason }
  /** The client wants no other answer than a stored one, and there is none: 504 (§5.2.1.7). */
  | { readonly kind: 'unsatisfiable' };

const unsatisfiable: Lookup = { kind: 'unsatisfiable' };

/**
 * Looks for a stored response to `request`. Synchronous; changes nothing but the order of eviction.
 * Hot: one pass over the request's fields, one key, one map access and, on a hit, one small object.
 */
export function lookup(store: CacheStore, request: CacheRequest, policy: CachePolicy, nowMs: number): Lookup {
  if (request.method !== 'GET' && request.method !== 'HEAD') return { kind: 'bypass', why: 'method' };
  const { demands, bypass } = requestTraits(request.headers, policy.ignoreClientNoCache);
  if (bypass !== null) return demands.onlyIfCached ? unsatisfiable : { kind: 'bypass', why: bypass };
  const variants = store.get(primaryKey(request));
  const entry = select(variants, request, policy);
  if (entry === null) return demands.onlyIfCached ? unsatisfiable : nothingFor(request, variants, store);
  const verdict = usability(entry, demands, nowMs);
  if (verdict === 'usable' || verdict === 'refresh') {
    store.use(entry);
    // A refresh would bring the whole of what only a part was asked of.
    const refresh = verdict === 'refresh' && entry.parts === null;
    return { kind: 'hit', entry, ttlMs: remainingMs(entry, nowMs), refresh };
  }
  if (demands.onlyIfCached) return unsatisfiable;
  // A 304 to a conditional HEAD would be about GET's response (§4.3.5); a plain HEAD is as cheap and asks nothing twice.
  if (request.method === 'HEAD') return miss(store, verdict);
  const conditional = conditionalFields(entry);
  if (conditional.length === 0) return miss(store, verdict);
  return { kind: 'revalidate', entry, why: verdict, conditional, epoch: store.epoch };
}

/** What a refresh of a stored response, which was served stale, asks its endpoint (RFC 5861 §3). */
export function refreshLookup(store: CacheStore, entry: CacheEntry): Lookup & { readonly kind: 'revalidate' | 'miss' } {
  const conditional = conditionalFields(entry);
  const { epoch } = store;
  if (conditional.length === 0) return { kind: 'miss', why: 'stale', epoch };
  return { kind: 'revalidate', entry, why: 'stale', conditional, epoch };
}

/** What the cache says to a request when what it had found for it can't be read. */
export function lookupWithout(
  store: CacheStore,
  request: CacheRequest,
): Lookup & { readonly kind: 'miss' | 'unsatisfiable' } {
  const { onlyIfCached } = requestTraits(request.headers).demands;
  return onlyIfCached ? { kind: 'unsatisfiable' } : { kind: 'miss', why: 'uri-miss', epoch: store.epoch };
}

/** Of the variants that fit, the one with the latest `Date` (RFC 9111 §4); of equal ones, the one received last. */
export function select(variants: readonly CacheEntry[], request: CacheRequest, policy: CachePolicy): CacheEntry | null {
  let best: CacheEntry | null = null;
  for (let i = 0; i < variants.length; i += 1) {
    const entry = variants[i] as CacheEntry;
    if (entry.partition !== request.partition || !matchesVary(entry.vary, request)) continue;
    if (entry.parts !== null && !partsAnswer(entry.parts, entry, request)) continue;
    // Stored while the route still allowed it: a reload may have taken that back.
    if (entry.hasSetCookie && !sharesCookies(policy.setCookie, entry.headers)) continue;
    if (best === null || isNewer(entry, best)) best = entry;
  }
  return best;
}

function isNewer(entry: CacheEntry, than: CacheEntry): boolean {
  return entry.dateMs > than.dateMs || (entry.dateMs === than.dateMs && entry.receivedAtMs > than.receivedAtMs);
}

/** No stored response does; of parts, the rest may be asked for. */
function nothingFor(request: CacheRequest, variants: readonly CacheEntry[], store: CacheStore): Lookup {
  const entry = variants.find(
    ({ parts, partition, vary }) => parts !== null && partition === request.partition && matchesVary(vary, request),
  );
  if (entry === undefined) return miss(store, missReason(variants, request));
  const rest = wantsWhole(request) ? restOf(entry) : null;
  return rest === null
    ? miss(store, 'partial')
    : { kind: 'complete', entry, why: 'partial', epoch: store.epoch, ...rest };
}

/** A client that has a version of its own is asked about that first: if it is still good, the rest is not wanted. */
function wantsWhole({ method, headers }: CacheRequest): boolean {
  if (method !== 'GET' || asksForRange(headers)) return false;
  return !hasHeader(headers, 'if-none-match') && !hasHeader(headers, 'if-modified-since');
}

function miss(store: CacheStore, why: MissReason): Lookup {
  return { kind: 'miss', why, epoch: store.epoch };
}

function missReason(variants: readonly CacheEntry[], request: CacheRequest): 'uri-miss' | 'vary-miss' {
  return variants.some((entry) => entry.partition === request.partition) ? 'vary-miss' : 'uri-miss';
}
