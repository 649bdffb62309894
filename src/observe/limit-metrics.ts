import type { Buckets, Series } from './family.ts';
import type { Metrics } from './metrics.ts';

/** How a pool with limits is now, and its counts since the start. */
export interface LimitedPool {
  readonly pool: string;
  readonly inFlight: number;
  readonly queued: number;
  readonly served: number;
  /** Of those that got their turn, in seconds; `null` where nobody counts. */
  readonly waits: Buckets | null;
  readonly refused: Readonly<Record<string, number>>;
  readonly shedding: boolean;
  /** Of each endpoint, by origin; none for those without. */
  readonly endpointLimits: readonly (readonly [endpoint: string, limit: number])[];
}

type Read = (pool: LimitedPool) => number;

/** Adds the families of pools with limits to those of `metrics`; `pools` is asked when somebody reads them. */
export function addLimitMetrics(metrics: Metrics, pools: () => Iterable<LimitedPool>): void {
  const gauge = (name: string, help: string, read: Read): void =>
    metrics.gauges(name, { help, labels: ['pool'], entries: () => seriesOf(pools(), read) });
  const counter = (name: string, help: string, read: Read): void =>
    metrics.counter(name, { help, labels: ['pool'], tally: { entries: () => seriesOf(pools(), read) } });
  gauge('headgate_pool_in_flight', 'Attempts in flight at a pool with limits', ({ inFlight }) => inFlight);
  gauge('headgate_pool_queue_length', 'Requests that wait for their turn at a pool', ({ queued }) => queued);
  gauge(
    'headgate_pool_shedding',
    '1 while waits are too long: the newest go first, and late ones are refused',
    (pool) => (pool.shedding ? 1 : 0),
  );
  counter('headgate_pool_queued_total', 'Requests that had to wait for their turn, and got it', ({ served }) => served);
  metrics.histogram('headgate_pool_queue_wait_seconds', {
    help: 'Waits of those that got their turn',
    labels: ['pool'],
    *entries() {
      for (const { pool, waits } of pools()) if (waits !== null) yield [[pool], waits];
    },
  });
  metrics.counter('headgate_pool_refused_total', {
    help: 'Requests that got no turn at a pool, by why',
    labels: ['pool', 'reason'],
    tally: {
      *entries() {
        for (const { pool, refused } of pools()) {
          for (const [reason, count] of Object.entries(refused)) yield [[pool, reason], count];
        }
      },
    },
  });
  metrics.gauges('headgate_endpoint_in_flight_limit', {
    help: 'Most attempts that may be in flight at an endpoint now',
    labels: ['pool', 'endpoint'],
    *entries() {
      for (const { pool, endpointLimits } of pools()) {
        for (const [endpoint, limit] of endpointLimits) yield [[pool, endpoint], limit];
      }
    },
  });
}

function* seriesOf(pools: Iterable<LimitedPool>, read: Read): Iterable<Series> {
  for (const pool of pools) yield [[pool.pool], read(pool)];
}
