import { requestTraits } from './demands.ts';
import type { CacheEntry } from './entry.ts';
import { currentAgeMs } from './freshness.ts';
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
  if (request.method !== 'GET' && request.method !== 'HEAD') return null;
  const { demands, bypass } = requestTraits(request.headers);
  if (bypass !== null || demands.noCache) return null;
  const entry = select(store.get(primaryKey(request)), request, policy);
  if (entry === null || entry.validateAlways) return null;
  const ageMs = currentAgeMs(entry, bounds.nowMs);
  const ttlMs = entry.freshMs - ageMs;
  if (ageMs > bounds.maxAgeMs || (ttlMs <= 0 && entry.mustRevalidate)) return null;
  store.use(entry);
  return { entry, ttlMs };
}
