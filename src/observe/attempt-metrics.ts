import type { Buckets, Series } from './family.ts';
import type { Metrics } from './metrics.ts';

/** What became of the attempts at one pool, by endpoint. */
export interface PoolAttempts {
  readonly pool: string;
  readonly duration: Buckets;
  readonly connect: Buckets;
  /** Without a response, by reason. */
  readonly failures: Iterable<readonly [reason: string, count: number]>;
  readonly endpoints: Iterable<EndpointAttempts>;
}

export interface EndpointAttempts {
  readonly endpoint: string;
  readonly inFlight: number;
  /** By the first digit of the status; 0 for a connection that is forwarded as it is. */
  readonly answered: readonly number[];
  readonly failed: number;
  readonly cancelled: number;
}

const CLASSES = ['connected', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** Adds the families of attempts to those of `metrics`; `pools` is asked when somebody reads them. */
export function addAttemptMetrics(metrics: Metrics, pools: () => Iterable<PoolAttempts>): void {
  metrics.counter('headgate_endpoint_attempts_total', {
    help: 'Attempts at an endpoint that are over, or answered: by class of status, failed without one, or cancelled',
    labels: ['pool', 'endpoint', 'result'],
    tally: { entries: () => results(pools()) },
  });
  metrics.gauges('headgate_endpoint_in_flight', {
    help: 'Attempts that are under way at an endpoint',
    labels: ['pool', 'endpoint'],
    *entries() {
      for (const { pool, endpoints } of pools()) {
        for (const { endpoint, inFlight } of endpoints) yield [[pool, endpoint], inFlight];
      }
    },
  });
  metrics.counter('headgate_pool_attempt_failures_total', {
    help: 'Attempts at a pool that no response came of, by why',
    labels: ['pool', 'reason'],
    tally: { entries: () => failures(pools()) },
  });
  const histogram = (name: string, help: string, of: (pool: PoolAttempts) => Buckets): void =>
    metrics.histogram(name, {
      help,
      labels: ['pool'],
      *entries() {
        for (const pool of pools()) yield [[pool.pool], of(pool)];
      },
    });
  histogram(
    'headgate_pool_attempt_duration_seconds',
    'From when a request is begun to be written to an endpoint until the head of its response, or its failure',
    ({ duration }) => duration,
  );
  histogram(
    'headgate_pool_connect_duration_seconds',
    'Waits of attempts for a connection that had to be made',
    ({ connect }) => connect,
  );
}

function* results(pools: Iterable<PoolAttempts>): Iterable<Series> {
  for (const { pool, endpoints } of pools) {
    for (const { endpoint, answered, failed, cancelled } of endpoints) {
      for (const [index, result] of CLASSES.entries()) {
        const count = answered[index] ?? 0;
        if (count > 0) yield [[pool, endpoint, result], count];
      }
      if (failed > 0) yield [[pool, endpoint, 'failed'], failed];
      if (cancelled > 0) yield [[pool, endpoint, 'cancelled'], cancelled];
    }
  }
}

function* failures(pools: Iterable<PoolAttempts>): Iterable<Series> {
  for (const { pool, failures: byReason } of pools) {
    for (const [reason, count] of byReason) yield [[pool, reason], count];
  }
}
