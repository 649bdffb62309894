import type { SharedCache } from '../cache/shared-cache.ts';
import { hitRatio, type RouteTally } from '../cache/tally.ts';
import type { CacheResult } from '../exchange/outcome.ts';

/** What is stored, and what the cache did since the process began. */
export interface CacheSummary {
  /** Memory accounted for all stored responses together. */
  readonly bytes: number;
  readonly entries: number;
  readonly evictions: number;
  /** Refreshes in the background that are under way. */
  readonly refreshing: number;
  /** Requests that wait for another one's answer. */
  readonly waiting: number;
  readonly purged: readonly { readonly kind: string; readonly mode: string; readonly count: number }[];
  readonly routes: readonly RouteSummary[];
}

export interface RouteSummary {
  readonly route: string;
  readonly requests: number;
  /** Share of the requests for which the cache was asked that it answered without waiting for an endpoint; `null` for none. */
  readonly hitRatio: number | null;
  readonly results: Readonly<Record<CacheResult, number>>;
  readonly bytesFromStore: number;
  readonly bytesFromUpstream: number;
  readonly stored: number;
  /** Bodies on their way into the store. */
  readonly filling: number;
  readonly notStored: Readonly<Record<string, number>>;
  readonly bypassed: Readonly<Record<string, number>>;
}

export function cacheSummary({ store, tally, refreshes, flights }: SharedCache): CacheSummary {
  const { bytes, entries, evictions } = store;
  return {
    ...{ bytes, entries, evictions, refreshing: refreshes.underWay, waiting: flights.waiters },
    purged: Array.from(tally.purges(), ([kind, mode, count]) => ({ kind, mode, count })),
    routes: Array.from(tally.routes(), ([route, of]) => routeSummary(route, of)).sort(
      (a, b) => b.requests - a.requests,
    ),
  };
}

function routeSummary(route: string, of: RouteTally): RouteSummary {
  const { results, bytesFromStore, bytesFromUpstream, stored, filling } = of;
  return {
    route,
    requests: Object.values(results).reduce((sum, count) => sum + count, 0),
    hitRatio: hitRatio(results),
    results: { ...results },
    ...{ bytesFromStore, bytesFromUpstream, stored, filling },
    notStored: Object.fromEntries(of.notStored),
    bypassed: Object.fromEntries(of.bypassed),
  };
}
