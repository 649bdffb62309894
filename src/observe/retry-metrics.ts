import type { Series } from './family.ts';
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
    *entries(): Iterable<Series> {
      for (const pool of pools()) yield [[pool.pool], count(pool)];
    },
  });
  metrics.counter('headgate_pool_retries_total', {
    help: 'Attempts after the first at the endpoints of a pool, by why they were made',
    labels: ['pool', 'reason'],
    tally: {
      *entries() {
        for (const { pool, made } of pools()) for (const [reason, count] of made) yield [[pool, reason], count];
      },
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
  metrics.gauges('headgate_pool_retry_budget', {
    help: 'Retries that the budget of a pool could pay for now',
    labels: ['pool'],
    *entries() {
      for (const { pool, left } of pools()) yield [[pool], left];
    },
  });
}
