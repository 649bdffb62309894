import type { CacheEntry } from './entry.ts';
import type { Invalidations } from './invalidations.ts';
import type { Purgeable } from './purge-scope.ts';

/**
 * Where stored responses live: several variants per primary key, bounded in bytes. Knows nothing of freshness, and
 * nothing of whether a response may be stored. Synchronous: `decide` asks it.
 */
export interface CacheStore {
  /** Accounted memory of all entries, heads and keys included. Never above the bound it was made with. */
  readonly bytes: number;
  readonly entries: number;
  /** How many had to leave to make room. */
  readonly evictions: number;
  /**
   * Every variant of `key`, in no order, none that a purge has taken. The list is the store's own and valid until its next change.
   */
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
  /** `entry` is stale from `atMs` on, wherever it is kept. */
  expire(entry: CacheEntry, atMs: number): void;
  /**
   * Lists that have, between them, every entry that is stored now, whatever happens to the store before the end; what is stored meanwhile
   * may come too, and does not put the end off. A list is valid until the store's next change, and may hold what a purge has taken.
   */
  variantLists(): Iterator<readonly CacheEntry[]>;
  /** Invalidates `key`: drops every variant, and returns how many there were. */
  delete(key: string): number;
  /** Invalidates everything. */
  clear(): void;
  /** What was made invalid, for whoever purges. */
  readonly invalidations: Invalidations;
  /** How many invalidations there were. A request that goes out now may bring what the next one makes wrong. */
  readonly epoch: number;
  /**
   * Was what means `answer` made invalid after the store's epoch was `epoch`? Then an answer to a request of that time must not be stored
   * (RFC 9111 §4.4): the endpoint may have made it before the change. May say yes wrongly, in about one of 4096 cases
   * for each invalidation meanwhile; never no.
   */
  invalidatedSince(answer: Purgeable, epoch: number): boolean;
}
