import { randomInt } from 'node:crypto';
import { FillMemory } from '../cache/fill-memory.ts';
import { Flights } from '../cache/flights.ts';
import { KeyRules } from '../cache/key-rules.ts';
import { LearnedLinks } from '../cache/learned-links.ts';
import { MemoryStore } from '../cache/memory-store.ts';
import type { CachePolicy } from '../cache/policy.ts';
import { Refreshes } from '../cache/refreshes.ts';
import type { SecondTier } from '../cache/second-tier.ts';
import type { SharedCache } from '../cache/shared-cache.ts';
import type { TagPolicy } from '../cache/tags.ts';
import { CacheTally } from '../cache/tally.ts';
import { TieredStore } from '../cache/tiered-store.ts';
import { type CacheConfig, collapseByDefault, type RouteCacheConfig } from '../config/schema/cache.ts';
import { keyPolicy, ttlRule } from './compile-cache-policy.ts';
import type { Complaints, KeyPath } from './complaints.ts';

/** Some ten thousand pages with a few links each. */
const LEARNED_BYTES = 8 * 1024 ** 2;

/** The cache of a gateway, empty; `disk` is its second tier, if it has one. */
export function sharedCache(config: CacheConfig, disk: SecondTier | null = null): SharedCache {
  // Drawn anew for each life: who can't know it can't choose URLs whose hashes meet.
  const memory = { maxBytes: config.size, objectBytes: config.objectSize, seed: randomInt(2 ** 32) };
  const store = disk === null ? new MemoryStore(memory) : new TieredStore(memory, disk);
  return {
    store,
    flights: new Flights(store),
    fillMemory: new FillMemory(config.fills ?? Math.floor(config.size / 4)),
    refreshes: new Refreshes(config.refreshes),
    keys: new KeyRules(),
    tally: new CacheTally(),
    links: new LearnedLinks(LEARNED_BYTES),
  };
}

/** Where the `cache` of a route stands. */
export interface CacheContext {
  readonly shared: CacheConfig;
  readonly complaints: Complaints;
  /** Of the route. */
  readonly path: KeyPath;
  /** See `CachePolicy.scope`. */
  readonly scope: string;
}

/** What a route wants of it. */
export function compileCachePolicy(
  route: RouteCacheConfig,
  { shared, complaints, path, scope }: CacheContext,
): CachePolicy {
  const { ignore, setCookie, objectSize } = route;
  if (objectSize !== undefined && objectSize > shared.objectSize) {
    const message = 'the store takes nothing this large: cache.objectSize is smaller';
    complaints.add([...path, 'cache', 'objectSize'], { message });
  }
  return {
    scope,
    key: route.key === undefined ? null : keyPolicy(route.key),
    defaultTtl: route.defaultTtl === undefined ? null : ttlRule(route.defaultTtl),
    overrideTtl: route.overrideTtl === undefined ? null : ttlRule(route.overrideTtl),
    ignore:
      ignore === undefined
        ? null
        : {
            noCache: ignore.includes('no-cache'),
            noStore: ignore.includes('no-store'),
            private: ignore.includes('private'),
          },
    ignoreClientNoCache: route.ignoreClientNoCache,
    setCookie: typeof setCookie === 'string' ? setCookie : new Set(setCookie),
    staleWhileRevalidateMs: route.staleWhileRevalidate ?? 0,
    staleIfErrorMs: route.staleIfError ?? 0,
    earlyHints: route.earlyHints ?? false,
    wholeRanges: route.ranges === 'whole',
    targets: (route.targets ?? ['CDN-Cache-Control']).map((name) => name.toLowerCase()),
    // What is larger than the whole store is not even tried.
    objectBytes: Math.min(objectSize ?? shared.objectSize, shared.size),
    collapse: compileCollapse(route.collapse ?? collapseByDefault),
    tags: compileTags(route.tags, shared.tags),
  };
}

function compileCollapse(collapse: NonNullable<RouteCacheConfig['collapse']>): CachePolicy['collapse'] {
  return collapse === false ? null : { waitMs: collapse.wait };
}

function compileTags(route: RouteCacheConfig['tags'], shared: CacheConfig['tags']): TagPolicy {
  const fields = route?.fields ?? shared.fields;
  return { fields: fields.map((name) => name.toLowerCase()), pass: route?.pass ?? shared.pass };
}
