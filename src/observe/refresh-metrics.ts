import type { Metrics } from './metrics.ts';

/** What became of the refreshes of one route's stored responses. */
export interface RefreshCounts {
  readonly route: string;
  readonly ended: Readonly<Record<string, number>>;
  readonly skipped: Readonly<Record<string, number>>;
}

export interface RefreshSource {
  /** Of all routes together. */
  readonly underWay: number;
  figures(): Iterable<RefreshCounts>;
}

/** Adds the metrics of background refreshes; `refreshes` is asked when somebody reads them. Labels: routes, enumerations. */
export function addRefreshMetrics(metrics: Metrics, refreshes: RefreshSource): void {
  const counter = (name: string, help: string, label: string, counts: (of: RefreshCounts) => Record<string, number>) =>
    metrics.counter(name, {
      help,
      labels: ['route', label],
      tally: {
        *entries() {
          for (const of of refreshes.figures()) {
            for (const [value, count] of Object.entries(counts(of))) yield [[of.route, value], count];
          }
        },
      },
    });
  counter('headgate_cache_refreshes_total', 'Refreshes in the background that have ended', 'result', (of) => of.ended);
  counter(
    'headgate_cache_refreshes_skipped_total',
    'Responses that were served stale without a refresh, by why',
    'reason',
    (of) => of.skipped,
  );
  metrics.gauge('headgate_cache_refreshes_in_flight', {
    help: 'Refreshes in the background that are under way',
    labels: [],
    read: (set) => set({}, refreshes.underWay),
  });
}
