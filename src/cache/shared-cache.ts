import type { Refreshes } from './refreshes.ts';
import type { CacheStore } from './store.ts';

/** The cache that all routes share, and all that it knows. Outlives snapshots. */
export interface SharedCache {
  readonly store: CacheStore;
  readonly refreshes: Refreshes;
}
