import type { CacheEntry } from './entry.ts';
import type { CacheStore } from './store.ts';

/**
 * `store` to look into only: what is chosen in it counts as unused, so that asking moves nobody in the order of eviction and sends
 * nothing to the second tier. Whatever would store, drop or expire something throws.
 */
export function unusedStore(store: CacheStore): CacheStore {
  const refuse = (): never => {
    throw new Error('Cannot change a cache that is only asked');
  };
  return {
    get bytes() {
      return store.bytes;
    },
    get entries() {
      return store.entries;
    },
    get evictions() {
      return store.evictions;
    },
    get epoch() {
      return store.epoch;
    },
    get invalidations() {
      return store.invalidations;
    },
    get: (key) => store.get(key),
    has: (entry: CacheEntry) => store.has(entry),
    variantLists: () => store.variantLists(),
    invalidatedSince: (answer, epoch) => store.invalidatedSince(answer, epoch),
    use: () => {},
    set: refuse,
    replace: refuse,
    remove: refuse,
    expire: refuse,
    delete: refuse,
    clear: refuse,
  };
}
