import type { Series } from './family.ts';
import type { Metrics } from './metrics.ts';

/** Connections to one endpoint of one pool; of pools that share them, the first. */
export interface ConnectionCountsOf {
  readonly pool: string;
  readonly endpoint: string;
  readonly open: number;
  readonly busy: number;
  readonly queued: number;
  /** `null` while none was ever needed. */
  readonly traffic: {
    readonly opened: number;
    readonly reused: number;
    readonly retired: number;
    readonly racesLost: number;
    readonly connectMs: number;
    readonly failures: Iterable<readonly [reason: string, count: number]>;
  } | null;
}

type Traffic = NonNullable<ConnectionCountsOf['traffic']>;

/** Adds the metrics of connections to endpoints to `metrics`; `endpoints` is asked when somebody reads them. */
export function addConnectionMetrics(metrics: Metrics, endpoints: () => Iterable<ConnectionCountsOf>): void {
  const labels = ['pool', 'endpoint'];
  const counter = (name: string, help: string, count: (traffic: Traffic) => number): void => {
    metrics.counter(name, { help, labels, tally: { entries: () => counts(endpoints(), count) } });
  };
  metrics.gauges('headgate_endpoint_connections', {
    help: 'Connections to an endpoint, by what they do; queued: requests that wait for one',
    labels: [...labels, 'state'],
    *entries() {
      for (const { pool, endpoint, open, busy, queued } of endpoints()) {
        yield [[pool, endpoint, 'busy'], busy];
        yield [[pool, endpoint, 'idle'], open - busy];
        yield [[pool, endpoint, 'queued'], queued];
      }
    },
  });
  counter('headgate_endpoint_connections_opened_total', 'Connections made', ({ opened }) => opened);
  counter('headgate_endpoint_connections_reused_total', 'Requests on kept-alive connections', ({ reused }) => reused);
  const retired = 'Idle connections closed before the endpoint would have: races avoided';
  counter('headgate_endpoint_connections_retired_total', retired, (traffic) => traffic.retired);
  const lost = 'Requests on kept-alive connections that the endpoint closed as they came: races lost';
  counter('headgate_endpoint_races_lost_total', lost, ({ racesLost }) => racesLost);
  const connecting = 'Time that it took to make connections; divided by those opened, the mean';
  counter('headgate_endpoint_connect_seconds_total', connecting, ({ connectMs }) => connectMs / 1000);
  metrics.counter('headgate_endpoint_connect_errors_total', {
    help: 'Connections that could not be made, by reason',
    labels: [...labels, 'reason'],
    tally: { entries: () => failures(endpoints()) },
  });
}

function* counts(endpoints: Iterable<ConnectionCountsOf>, count: (traffic: Traffic) => number): Iterable<Series> {
  for (const { pool, endpoint, traffic } of endpoints) if (traffic !== null) yield [[pool, endpoint], count(traffic)];
}

function* failures(endpoints: Iterable<ConnectionCountsOf>): Iterable<Series> {
  for (const { pool, endpoint, traffic } of endpoints) {
    for (const [reason, count] of traffic?.failures ?? []) yield [[pool, endpoint, reason], count];
  }
}
