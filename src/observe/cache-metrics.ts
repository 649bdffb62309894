import type { Metrics } from './metrics.ts';

/** What the cache did for one route. */
export interface RouteCounts {
  readonly results: Readonly<Record<string, number>>;
  readonly bypassed: Iterable<readonly [reason: string, count: number]>;
  readonly notStored: Iterable<readonly [reason: string, count: number]>;
  readonly stored: number;
  readonly filling: number;
  readonly bytesFromStore: number;
  readonly bytesFromUpstream: number;
}

/** What is asked when somebody reads the metrics. */
export interface CacheSources {
  readonly tally: {
    routes(): Iterable<readonly [route: string, counts: RouteCounts]>;
    purges(): Iterable<readonly [kind: string, mode: string, count: number]>;
  };
  readonly store: { readonly bytes: number; readonly entries: number; readonly evictions: number };
}

/** Adds the metrics of the cache. Labels: routes and enumerations. */
export function addCacheMetrics(metrics: Metrics, { tally, store }: CacheSources): void {
  const perRoute = (
    name: string,
    labels: readonly string[],
    { help, counts }: { help: string; counts: (of: RouteCounts) => Iterable<readonly [string, number]> },
  ) =>
    metrics.counter(name, {
      help,
      labels: ['route', ...labels],
      tally: {
        *entries() {
          for (const [route, of] of tally.routes())
            for (const [value, count] of counts(of)) yield [[route, value], count];
        },
      },
    });
  perRoute('headgate_cache_requests_total', ['result'], {
    help: 'Requests of routes with a cache, by what it did for them',
    counts: ({ results }) => Object.entries(results),
  });
  perRoute('headgate_cache_bypass_total', ['reason'], {
    help: 'Requests that went past the cache, by why',
    counts: ({ bypassed }) => bypassed,
  });
  perRoute('headgate_cache_not_stored_total', ['reason'], {
    help: 'Answers of endpoints that were not stored, by why',
    counts: ({ notStored }) => notStored,
  });
  perRoute('headgate_cache_stored_total', [], {
    help: 'Answers of endpoints that were stored',
    counts: ({ stored }) => [['', stored]],
  });
  perRoute('headgate_cache_served_bytes_total', ['from'], {
    help: 'Bytes of bodies sent to clients of routes with a cache: from the store, and from endpoints',
    counts: ({ bytesFromStore, bytesFromUpstream }) => [
      ['store', bytesFromStore],
      ['upstream', bytesFromUpstream],
    ],
  });
  metrics.gauges('headgate_cache_fills', {
    help: 'Answers of endpoints that are on their way into the store',
    labels: ['route'],
    *entries() {
      for (const [route, { filling }] of tally.routes()) yield [[route], filling];
    },
  });
  metrics.gauge('headgate_cache_bytes', {
    help: 'Memory accounted for all stored responses together',
    labels: [],
    read: (set) => set({}, store.bytes),
  });
  metrics.gauge('headgate_cache_entries', {
    help: 'Stored responses',
    labels: [],
    read: (set) => set({}, store.entries),
  });
  metrics.counter('headgate_cache_evictions_total', {
    help: 'Stored responses that had to leave memory to make room',
    labels: [],
    tally: { entries: () => [[[], store.evictions]] },
  });
  metrics.counter('headgate_cache_purged_total', {
    help: 'Stored responses that were purged, by what kind of purge, and whether it dropped them (hard) or made them stale (soft)',
    labels: ['kind', 'mode'],
    tally: { entries: () => Array.from(tally.purges(), ([kind, mode, count]) => [[kind, mode], count] as const) },
  });
}
