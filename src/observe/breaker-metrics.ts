import type { Series } from './family.ts';
import type { Metrics } from './metrics.ts';
import { Tally } from './tally.ts';

const STATES = ['passing', 'tripped', 'probing'] as const;

/** How one breaker is now. */
export interface BreakerGauges {
  readonly pool: string;
  /** `null` for the breaker of the whole pool. */
  readonly endpoint: string | null;
  readonly state: (typeof STATES)[number];
  readonly refusals: number;
}

/** Metrics of breakers. Labels are names of the configuration, origins of endpoints, and enumerated states and reasons. */
export class BreakerMetrics {
  readonly #poolTrips = new Tally();
  readonly #endpointTrips = new Tally();

  /** Adds its families to those of `metrics`; `breakers` is asked when somebody reads them. */
  constructor(metrics: Metrics, breakers: () => Iterable<BreakerGauges>) {
    metrics.gauges('headgate_pool_breaker_state', {
      help: '1 for the state that the breaker of a pool is in, 0 for the others',
      labels: ['pool', 'state'],
      *entries() {
        for (const { pool, endpoint, state } of breakers()) {
          if (endpoint === null) for (const each of STATES) yield [[pool, each], each === state ? 1 : 0];
        }
      },
    });
    metrics.gauges('headgate_endpoint_breaker_state', {
      help: '1 for the state that the breaker of an endpoint is in, 0 for the others',
      labels: ['pool', 'endpoint', 'state'],
      *entries() {
        for (const { pool, endpoint, state } of breakers()) {
          if (endpoint !== null) for (const each of STATES) yield [[pool, endpoint, each], each === state ? 1 : 0];
        }
      },
    });
    metrics.counter('headgate_pool_breaker_trips_total', {
      help: 'How often the breaker of a pool has tripped, by why',
      labels: ['pool', 'reason'],
      tally: this.#poolTrips,
    });
    metrics.counter('headgate_endpoint_breaker_trips_total', {
      help: 'How often the breaker of an endpoint has tripped, by why',
      labels: ['pool', 'endpoint', 'reason'],
      tally: this.#endpointTrips,
    });
    metrics.counter('headgate_pool_breaker_refusals_total', {
      help: 'Requests that the breaker of a pool has turned away',
      labels: ['pool'],
      tally: { entries: () => refusalsOf(breakers()) },
    });
  }

  /** These pools are all there are, and these origins all that any of them has. */
  retain(origins: ReadonlySet<string>, pools: ReadonlySet<string>): void {
    this.#endpointTrips.retain(1, origins);
    this.#endpointTrips.retain(0, pools);
    this.#poolTrips.retain(0, pools);
  }

  tripped(pool: string, endpoint: string | null, reason: string): void {
    if (endpoint === null) this.#poolTrips.add(pool, reason);
    else this.#endpointTrips.add(pool, endpoint, reason);
  }
}

function* refusalsOf(breakers: Iterable<BreakerGauges>): Iterable<Series> {
  for (const { pool, endpoint, refusals } of breakers) if (endpoint === null && refusals > 0) yield [[pool], refusals];
}
