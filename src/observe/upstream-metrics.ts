import type { Metrics } from './metrics.ts';
import { Tally } from './tally.ts';

/** What is asked when somebody reads the metrics. */
export interface UpstreamSources {
  readonly endpoints: () => Iterable<EndpointGauges>;
  readonly pools: () => Iterable<PoolGauges>;
  /** How many endpoints were found, for each pool that is not told by the configuration alone. */
  readonly discovered: () => Iterable<readonly [pool: string, found: number]>;
}

/** How one endpoint of one pool is now. */
export interface EndpointGauges {
  readonly pool: string;
  readonly endpoint: string;
  readonly up: boolean;
  /** By hand: enabled, draining, disabled. */
  readonly standing: string;
  /** Put aside by passive health. */
  readonly ejected: boolean;
  /** As balancing takes it now: by hand, else by configuration, less while it starts slowly. */
  readonly weight: number;
  /** `null` where nobody counts them. */
  readonly sessions: number | null;
}

/** How one pool is now. */
export interface PoolGauges {
  readonly pool: string;
  readonly panicking: boolean;
  /** With an endpoint in service. */
  readonly priorities: Iterable<{ readonly priority: number; readonly share: number }>;
}

/**
 * Counts of what happens to pools and endpoints. Labels are names of the configuration, origins that it gives or that were
 * discovered, and enumerated reasons.
 */
export class UpstreamMetrics {
  readonly #checks = new Tally();
  readonly #discoveryFailures = new Tally();
  readonly #ejections = new Tally();

  /** Adds its families to those of `metrics`. */
  constructor(metrics: Metrics, sources: UpstreamSources) {
    addEndpointGauges(metrics, sources.endpoints);
    addPoolGauges(metrics, sources.pools);
    metrics.counter('headgate_endpoint_ejections_total', {
      help: 'How often passive health has put an endpoint aside, by why',
      labels: ['pool', 'endpoint', 'reason'],
      tally: this.#ejections,
    });
    metrics.counter('headgate_endpoint_checks_total', {
      help: 'Active health checks, by what they showed',
      labels: ['endpoint', 'result', 'reason'],
      tally: this.#checks,
    });
    metrics.gauge('headgate_pool_discovered_endpoints', {
      help: 'Endpoints of a pool that were found by name, in a file or by Docker, and those that it names itself',
      labels: ['pool'],
      read: (set) => {
        for (const [pool, found] of sources.discovered()) set({ pool }, found);
      },
    });
    metrics.counter('headgate_pool_discovery_failures_total', {
      help: 'Attempts to find out the endpoints of a pool that failed, by why',
      labels: ['pool', 'reason'],
      tally: this.#discoveryFailures,
    });
  }

  /** These are all there are: whoever comes and goes would else be counted for ever. */
  retain(origins: ReadonlySet<string>, pools: ReadonlySet<string>): void {
    this.#checks.retain(0, origins);
    this.#ejections.retain(1, origins);
    this.#ejections.retain(0, pools);
    this.#discoveryFailures.retain(0, pools);
  }

  discoveryFailed(pool: string, reason: string): void {
    this.#discoveryFailures.add(pool, reason);
  }

  ejected(pool: string, endpoint: string, reason: string): void {
    this.#ejections.add(pool, endpoint, reason);
  }

  /** One active check of an origin, for all pools that check it alike. */
  checked(endpoint: string, { healthy, reason }: { readonly healthy: boolean; readonly reason: string }): void {
    this.#checks.add(endpoint, healthy ? 'healthy' : 'failed', reason);
  }
}

function addEndpointGauges(metrics: Metrics, endpoints: UpstreamSources['endpoints']): void {
  /** `null` for an endpoint that has none. */
  const gauge = (name: string, help: string, value: (of: EndpointGauges) => number | null): void =>
    metrics.gauges(name, {
      help,
      labels: ['pool', 'endpoint'],
      *entries() {
        for (const each of endpoints()) {
          const now = value(each);
          if (now !== null) yield [[each.pool, each.endpoint], now];
        }
      },
    });
  gauge(
    'headgate_endpoint_up',
    '1 for an endpoint that passes its health checks or has none, and was not put aside for what it did; else 0',
    ({ up }) => (up ? 1 : 0),
  );
  metrics.gauges('headgate_endpoint_standing', {
    help: '1 for what is wanted of an endpoint by hand: enabled, draining or disabled',
    labels: ['pool', 'endpoint', 'standing'],
    *entries() {
      for (const { pool, endpoint, standing } of endpoints()) yield [[pool, endpoint, standing], 1];
    },
  });
  gauge(
    'headgate_endpoint_weight',
    'Weight of an endpoint as it is now: by hand, else by configuration, less while it starts slowly',
    ({ weight }) => weight,
  );
  gauge(
    'headgate_endpoint_sessions',
    'Sessions that are remembered at an endpoint, where they are remembered',
    ({ sessions }) => sessions,
  );
  gauge('headgate_endpoint_ejected', '1 for an endpoint that passive health has put aside, else 0', ({ ejected }) =>
    ejected ? 1 : 0,
  );
}

function addPoolGauges(metrics: Metrics, pools: UpstreamSources['pools']): void {
  metrics.gauges('headgate_pool_panic', {
    help: '1 for a pool of which so few endpoints are healthy that it does not ask for their health; else 0',
    labels: ['pool'],
    *entries() {
      for (const { pool, panicking } of pools()) yield [[pool], panicking ? 1 : 0];
    },
  });
  metrics.gauges('headgate_pool_priority_share', {
    help: 'Share of the traffic of a pool that the endpoints of a priority get, by their health',
    labels: ['pool', 'priority'],
    *entries() {
      for (const { pool, priorities } of pools()) {
        for (const { priority, share } of priorities) yield [[pool, String(priority)], share];
      }
    },
  });
}
