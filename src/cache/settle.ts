import type { CacheEntry } from './entry.ts';
import { currentAgeMs } from './freshness.ts';
import type { Invalidations, Purge } from './invalidations.ts';
import type { CacheStore } from './store.ts';

/**
 * Compares each of `entries` with the purges that it was not compared with yet, so that none is used that a purge has taken: those of hard
 * ones leave the store, those of soft ones are stale. Returns how many comparisons it took. `entries` may be the store's own list.
 */
export function settleEntries(store: CacheStore, entries: readonly CacheEntry[]): number {
  const { unsettled, epoch } = store.invalidations;
  if (unsettled.length === 0) return 0;
  let comparisons = 0;
  // Backwards: whoever leaves is taken out of the list, and nobody who has not been seen moves.
  for (let i = entries.length - 1; i >= 0; i -= 1) {
    const entry = entries[i] as CacheEntry;
    if (entry.comparedAt >= epoch) continue;
    comparisons += unsettled.length;
    settleEntry(store, entry, unsettled);
    entry.comparedAt = epoch;
  }
  return comparisons;
}

function settleEntry(store: CacheStore, entry: CacheEntry, unsettled: readonly Purge[]): void {
  for (const purge of unsettled) {
    if (purge.epoch <= entry.comparedAt || !purge.means(entry)) continue;
    purge.found += 1;
    if (purge.hard) {
      store.remove(entry);
      return;
    }
    store.expire(entry, purge.atMs);
  }
}

/** Ends the freshness of `entry` at `atMs`, if it lasts so long: it is as stale then as if it had lived until that moment. */
export function expireEntry(entry: CacheEntry, atMs: number): void {
  entry.freshMs = Math.min(entry.freshMs, currentAgeMs(entry, atMs));
}

/** Has a purge taken `entry` that it was not compared with yet? */
export function isTaken({ unsettled }: Invalidations, entry: CacheEntry): boolean {
  return unsettled.some((purge) => purge.epoch > entry.comparedAt && purge.means(entry));
}
