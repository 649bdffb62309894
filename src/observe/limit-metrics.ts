import type { Buckets } from './family.ts';
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
    metrics.gauge(name, {
      help,
      labels: ['pool'],
      read: (set) => {
        for (const pool of pools()) set({ pool: pool.pool }, read(pool));
      },
    });
  const counter = (name: string, help: string, read: Read): void =>
    metrics.counter(name, {
      help,
      labels: ['pool'],
      tally: { entries: () => Array.from(pools(), (pool) => [[pool.pool], read(pool)] as const) },
    });
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
    entries: () => Array.from(pools()).flatMap(({ pool, waits }) => (waits === null ? [] : [[[pool], waits] as const])),
  });
  metrics.counter('headgate_pool_refused_total', {
    help: 'Requests that got no turn at a pool, by why',
    labels: ['pool', 'reason'],
    tally: {
      entries: () =>
        Array.from(pools()).flatMap(({ pool, refused }) =>
          Object.entries(refused).map(([reason, count]) => [[pool, reason], count] as const),
        ),
    },
  });
  metrics.gauge('headgate_endpoint_in_flight_limit', {
    help: 'Most attempts that may be in flight at an endpoint now',
    labels: ['pool', 'endpoint'],
    read: (set) => {
      for (const { pool, endpointLimits } of pools()) {
        for (const [endpoint, limit] of endpointLimits) set({ pool, endpoint }, limit);
      }
    },
  });
}
