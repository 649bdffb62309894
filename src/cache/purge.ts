import type { CacheEntry } from './entry.ts';
import type { Purge } from './invalidations.ts';
import type { PurgeScope } from './purge-scope.ts';
import { settleEntries } from './settle.ts';
import type { CacheStore } from './store.ts';

export interface PurgeMode {
  /** Drops what is meant. Else that is stale at once: to be validated, or to be served where stale is good enough (RFC 5861). */
  readonly hard: boolean;
  readonly nowMs: number;
}

/**
 * Purges every variant of `keys`, which one URL is stored under. Done when this returns; answers on their way that were asked for before are
 * not stored. Returns how many variants there were.
 */
export function purgeKeys(store: CacheStore, keys: readonly string[], { hard, nowMs }: PurgeMode): number {
  let found = 0;
  for (const key of keys) {
    if (hard) found += store.delete(key);
    else {
      // Those of earlier purges first: what they have taken is not there to be counted.
      const variants = store.get(key).slice();
      store.invalidations.ofKey(key);
      for (const entry of variants) store.expire(entry, nowMs);
      found += variants.length;
    }
  }
  return found;
}

/**
 * Carries out purges of more than single URLs. Each holds from `begin` on, for what is stored and for what is on its way; the store is walked
 * afterwards, in steps that the caller takes when it has time, to count what was meant and to free its memory. One walk does
 * for all purges that began before it.
 */
export class Purger {
  readonly #store: CacheStore;
  #walk: Walk | null = null;

  constructor(store: CacheStore) {
    this.#store = store;
  }

  /** `null` when too many purges are under way: nothing was done. */
  begin(scope: PurgeScope, mode: PurgeMode): Purge | null {
    return this.#store.invalidations.purge(scope, mode);
  }

  /**
   * Looks at stored responses until it has made `comparisons` of them with purges; at most 16 of them and `MOST_PURGES` each more. Returns the
   * purges that are settled now, `null` when none was left to begin with.
   */
  step(comparisons: number): readonly Purge[] | null {
    const { invalidations } = this.#store;
    if (this.#walk === null) {
      if (invalidations.unsettled.length === 0) return null;
      this.#walk = { lists: this.#store.variantLists(), epoch: invalidations.epoch };
    }
    const walk = this.#walk;
    for (let made = 0; made < comparisons; ) {
      const next = walk.lists.next();
      if (next.done === true) {
        this.#walk = null;
        return invalidations.settle(walk.epoch);
      }
      made += 1 + settleEntries(this.#store, next.value);
    }
    return [];
  }
}

interface Walk {
  readonly lists: Iterator<readonly CacheEntry[]>;
  readonly epoch: number;
}
