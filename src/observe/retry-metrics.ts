import type { Metrics } from './metrics.ts';

/** What one pool has spent on attempts after the first. */
export interface RetryCounts {
  readonly pool: string;
  /** Attempts after the first, by reason. */
  readonly made: Iterable<readonly [reason: string, count: number]>;
  readonly refused: number;
  readonly hedgesWon: number;
  readonly left: number;
}

/** Adds the metrics of retries to `metrics`; `pools` is asked when somebody reads them. Reasons are classes and listed statuses. */
export function addRetryMetrics(metrics: Metrics, pools: () => Iterable<RetryCounts>): void {
  const counted = (count: (pool: RetryCounts) => number) => ({
    entries: () => [...pools()].map((pool) => [[pool.pool], count(pool)] as const),
  });
  metrics.counter('headgate_pool_retries_total', {
    help: 'Attempts after the first at the endpoints of a pool, by why they were made',
    labels: ['pool', 'reason'],
    tally: {
      entries: () =>
        [...pools()].flatMap(({ pool, made }) => [...made].map(([reason, count]) => [[pool, reason], count] as const)),
    },
  });
  metrics.counter('headgate_pool_retries_refused_total', {
    help: 'Retries and hedges that the budget of a pool did not pay for',
    labels: ['pool'],
    tally: counted(({ refused }) => refused),
  });
  metrics.counter('headgate_pool_hedges_won_total', {
    help: 'Hedges whose response was the first',
    labels: ['pool'],
    tally: counted(({ hedgesWon }) => hedgesWon),
  });
  metrics.gauge('headgate_pool_retry_budget', {
    help: 'Retries that the budget of a pool could pay for now',
    labels: ['pool'],
    read: (set) => {
      for (const { pool, left } of pools()) set({ pool }, left);
    },
  });
}
