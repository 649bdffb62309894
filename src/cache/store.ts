import type { CacheEntry } from './entry.ts';

/**
 * Where stored responses live: several variants per primary key, bounded in bytes. Knows nothing of freshness, and
 * nothing of whether a response may be stored. Synchronous: `decide` asks it.
 */
export interface CacheStore {
  /** Accounted memory of all entries, heads and keys included. Never above the bound it was made with. */
  readonly bytes: number;
  readonly entries: number;
  /** Every variant of `key`, in no order. The list is the store's own and valid until its next change. */
  get(key: string): readonly CacheEntry[];
  /** `entry` was chosen to answer a request: it is evicted later than what was not. */
  use(entry: CacheEntry): void;
  /** True while `entry` itself, not just its like, is stored. */
  has(entry: CacheEntry): boolean;
  /**
   * Stores `entry` in place of the same variant, evicting what was used least recently. False when it does not fit, or
   * when the variant there was received later.
   */
  set(entry: CacheEntry): boolean;
  /** Stores `by`, which has the body of `old`, in the place that `old` leaves. False when `by` was not stored. */
  replace(old: CacheEntry, by: CacheEntry): boolean;
  remove(entry: CacheEntry): void;
  /** Invalidates `key`: drops every variant, and returns how many there were. */
  delete(key: string): number;
  /** Invalidates everything. */
  clear(): void;
  /** How many invalidations there were. A request that goes out now may bring what the next one makes wrong. */
  readonly epoch: number;
  /**
   * Was `key` invalidated after the store's epoch was `epoch`? Then an answer to a request of that time must not be stored
   * (RFC 9111 §4.4): the endpoint may have made it before the change. May say yes wrongly, in about one of 4096 cases
   * for each invalidation meanwhile; never no.
   */
  invalidatedSince(key: string, epoch: number): boolean;
}
