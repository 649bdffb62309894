import { type Demands, requestTraits } from './demands.ts';
import type { CacheEntry } from './entry.ts';
import { currentAgeMs, remainingMs } from './freshness.ts';
import { type CacheRequest, primaryKey } from './key.ts';
import { select } from './lookup.ts';
import type { CachePolicy } from './policy.ts';
import type { CacheStore } from './store.ts';

/** A stored response that must do, because no better one is to be had. */
export interface StaleFind {
  readonly entry: CacheEntry;
  /** Freshness left; negative for how long it has been stale. */
  readonly ttlMs: number;
}

/**
 * The stored response for `request` that a cache may use while it is cut off from the origin, however stale, up to `maxAgeMs` old
 * (RFC 9111 §4.2.4); `null` when there is none. Never one that its origin wants validated each time (no-cache, must-revalidate,
 * proxy-revalidate, s-maxage), nor for a client that does (no-cache, no-store); a reload (max-age=0) is a wish, not a prohibition.
 */
export function findStale(
  store: CacheStore,
  request: CacheRequest,
  policy: CachePolicy,
  bounds: { readonly nowMs: number; readonly maxAgeMs: number },
): StaleFind | null {
  const stored = storedFor(store, request, policy);
  if (stored === null || currentAgeMs(stored.entry, bounds.nowMs) > bounds.maxAgeMs) return null;
  return unlessForbidden(store, stored.entry, bounds.nowMs);
}

/**
 * The stored response for `request` that may be used because the endpoint fails (RFC 5861 §4): stale for no longer than the client
 * allows, or else the response, or else the route. `null` when there is none. "Regardless of other freshness information", says the RFC:
 * `max-age` and `min-fresh` of the client are no obstacle, `no-cache` is.
 */
export function findStaleIfError(
  store: CacheStore,
  request: CacheRequest,
  policy: CachePolicy,
  nowMs: number,
): StaleFind | null {
  const stored = storedFor(store, request, policy);
  if (stored === null) return null;
  const { entry, demands } = stored;
  const allowedMs = demands.staleIfErrorMs ?? entry.staleIfErrorMs;
  return allowedMs > 0 && -remainingMs(entry, nowMs) <= allowedMs ? unlessForbidden(store, entry, nowMs) : null;
}

function storedFor(
  store: CacheStore,
  request: CacheRequest,
  policy: CachePolicy,
): { readonly entry: CacheEntry; readonly demands: Demands } | null {
  if (request.method !== 'GET' && request.method !== 'HEAD') return null;
  const { demands, bypass } = requestTraits(request.headers, policy.ignoreClientNoCache);
  if (bypass !== null || demands.noCache) return null;
  const entry = select(store.get(primaryKey(request)), request, policy);
  return entry === null ? null : { entry, demands };
}

function unlessForbidden(store: CacheStore, entry: CacheEntry, nowMs: number): StaleFind | null {
  const ttlMs = remainingMs(entry, nowMs);
  if (entry.validateAlways || (ttlMs <= 0 && entry.mustRevalidate)) return null;
  store.use(entry);
  return { entry, ttlMs };
}
