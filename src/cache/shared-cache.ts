import type { FillMemory } from './fill-memory.ts';
import type { Flights } from './flights.ts';
import type { KeyRules } from './key-rules.ts';
import type { LearnedLinks } from './learned-links.ts';
import type { Refreshes } from './refreshes.ts';
import type { CacheStore } from './store.ts';
import type { CacheTally } from './tally.ts';

/** The cache that all routes share, and all that it knows. Outlives snapshots. */
export interface SharedCache {
  readonly store: CacheStore;
  /** What the routes make of queries, for whoever invalidates a URI. */
  readonly keys: KeyRules;
  readonly flights: Flights;
  readonly fillMemory: FillMemory;
  readonly refreshes: Refreshes;
  readonly tally: CacheTally;
  readonly links: LearnedLinks;
}
