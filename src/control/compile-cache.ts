import { randomInt } from 'node:crypto';
import { LearnedLinks } from '../cache/learned-links.ts';
import { MemoryStore } from '../cache/memory-store.ts';
import type { CachePolicy } from '../cache/policy.ts';
import { Refreshes } from '../cache/refreshes.ts';
import type { SharedCache } from '../cache/shared-cache.ts';
import type { TagPolicy } from '../cache/tags.ts';
import { CacheTally } from '../cache/tally.ts';
import type { CacheConfig, RouteCacheConfig } from '../config/schema/cache.ts';

/** Some ten thousand pages with a few links each. */
const LEARNED_BYTES = 8 * 1024 ** 2;

/** The cache of a gateway, empty. */
export function sharedCache(config: CacheConfig): SharedCache {
  return {
    // Drawn anew for each life: who can't know it can't choose URLs whose hashes meet.
    store: new MemoryStore({ maxBytes: config.size, objectBytes: config.objectSize, seed: randomInt(2 ** 32) }),
    refreshes: new Refreshes(config.refreshes),
    tally: new CacheTally(),
    links: new LearnedLinks(LEARNED_BYTES),
  };
}

/** What a route wants of it. */
export function compileCachePolicy(route: RouteCacheConfig, shared: CacheConfig): CachePolicy {
  return {
    defaultTtlMs: route.defaultTtl ?? null,
    storeSetCookie: route.storeSetCookie ?? false,
    staleWhileRevalidateMs: route.staleWhileRevalidate ?? 0,
    staleIfErrorMs: route.staleIfError ?? 0,
    earlyHints: route.earlyHints ?? false,
    targets: (route.targets ?? ['CDN-Cache-Control']).map((name) => name.toLowerCase()),
    objectBytes: shared.objectSize,
    tags: compileTags(route.tags, shared.tags),
  };
}

function compileTags(route: RouteCacheConfig['tags'], shared: CacheConfig['tags']): TagPolicy {
  const fields = route?.fields ?? shared.fields;
  return { fields: fields.map((name) => name.toLowerCase()), pass: route?.pass ?? shared.pass };
}
