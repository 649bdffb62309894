import type { CacheEntry } from './entry.ts';

/** A fill under way. Whoever opens one closes it, whatever happens in between. */
export interface FillTicket {
  readonly key: string;
  /** False once the key was invalidated: what was asked for before must not be stored after (RFC 9111 §4.4). */
  readonly valid: boolean;
}

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
  remove(entry: CacheEntry): void;
  /** Drops every variant of `key` and voids fills under way. Returns how many variants there were. */
  delete(key: string): number;
  /** `delete` of everything. */
  clear(): void;
  open(key: string): FillTicket;
  close(ticket: FillTicket): void;
}
