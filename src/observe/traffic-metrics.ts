import type { Clock } from '../clock.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord } from '../exchange/outcome.ts';
import type { StreamObserver, StreamRecord } from '../exchange/stream.ts';
import { Histogram, OVERHEAD_SECONDS } from '../histogram.ts';
import type { Buckets, Exemplar, Series } from './family.ts';
import type { Metrics } from './metrics.ts';
import { NamesInUse } from './names-in-use.ts';
import { Tally } from './tally.ts';

/** Names that the configuration has now. */
export interface ConfiguredNames {
  readonly listeners: ReadonlySet<string>;
  readonly routes: ReadonlySet<string>;
  readonly pools: ReadonlySet<string>;
}

const CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

/** What one route has done for one listener. */
interface RouteFigures {
  /** By class of status, as in `CLASSES`. */
  readonly statuses: number[];
  readonly duration: Histogram;
  /** For each bucket of it the last sampled trace; `null` while there was none. */
  exemplars: (Exemplar | undefined)[] | null;
  /** `null` for a route that no endpoint has answered for. */
  firstByte: Histogram | null;
  bytesIn: number;
  bytesOut: number;
}

interface ListenerFigures {
  readonly overhead: Histogram;
  readonly routes: Map<string, RouteFigures>;
}

/**
 * Counts what clients asked for. Hot: an exchange costs two map look-ups and some additions, 0.05 µs (bench/metrics.ts). At most
 * (listeners × routes) figures: those of the configuration, and for five minutes those that it had before.
 */
export class TrafficMetrics implements ExchangeObserver, StreamObserver {
  readonly #latencySeconds: readonly number[];
  readonly #listeners = new Map<string, ListenerFigures>();
  readonly #errors = new Tally();
  readonly #refusals = new Tally();
  readonly #fallbacks = new Tally();
  readonly #policies = new Tally();
  readonly #notes = new Tally();
  readonly #streams = new Tally();
  readonly #names: Readonly<Record<keyof ConfiguredNames, NamesInUse>>;

  /** Adds its families to those of `metrics`. */
  constructor(metrics: Metrics, parts: { readonly clock: Clock; readonly latencySeconds: readonly number[] }) {
    const { clock, latencySeconds } = parts;
    this.#latencySeconds = latencySeconds;
    this.#names = {
      listeners: new NamesInUse(clock),
      routes: new NamesInUse(clock),
      pools: new NamesInUse(clock),
    };
    metrics.before(() => this.#forget());
    this.#addExchanges(metrics);
    this.#addTallies(metrics);
  }

  /** What a reload has removed is shown for five minutes more. */
  adopt(names: ConfiguredNames): void {
    this.#names.listeners.adopt(names.listeners);
    // Where no route was found.
    this.#names.routes.adopt(new Set([...names.routes, '']));
    this.#names.pools.adopt(names.pools);
    this.#forget();
  }

  finished(record: ExchangeRecord): void {
    const listener = this.#listeners.get(record.listener) ?? this.#addListener(record.listener);
    const name = record.route ?? '';
    const figures = listener.routes.get(name) ?? this.#addRoute(listener, name);
    const { status, totalMs, firstByteMs, end } = record;
    // From 600 on they are no statuses: to be taken for 5xx (RFC 9110 §15).
    const index = Math.min(5, (status / 100) | 0);
    figures.statuses[index] = (figures.statuses[index] as number) + 1;
    figures.bytesIn += record.bytesIn;
    figures.bytesOut += record.bytesOut;
    if (firstByteMs !== null) {
      figures.firstByte ??= new Histogram(this.#latencySeconds);
      figures.firstByte.observe(firstByteMs / 1_000);
    }
    // A tunnel takes as long as it is wanted.
    if (status !== 101) {
      const bucket = figures.duration.observe(totalMs / 1_000);
      if (record.trace?.sampled === true) noteTrace(figures, bucket, record, record.trace.traceId);
      listener.overhead.observe(record.overheadMs / 1_000);
    }
    if (record.policy !== null) this.#policies.add(record.listener, name, record.policy, end.reason);
    for (const note of record.notes) this.#notes.add(record.listener, name, note);
    if (record.fallback !== null) this.#fallbacks.add(record.listener, name, record.fallback.kind, record.fallback.why);
    if (end.error !== null || end.bug !== null) this.#errors.add(record.listener, name, end.side, end.reason);
  }

  streamFinished({ listener, pool, end }: StreamRecord): void {
    this.#streams.add(listener, pool, end.side, end.reason);
  }

  refused(listener: string, reason: string): void {
    this.#refusals.add(listener, reason);
  }

  #addListener(name: string): ListenerFigures {
    const figures = { overhead: new Histogram(OVERHEAD_SECONDS), routes: new Map() };
    this.#listeners.set(name, figures);
    return figures;
  }

  #addRoute({ routes }: ListenerFigures, name: string): RouteFigures {
    const figures: RouteFigures = {
      // The first for a status that is none.
      statuses: CLASSES.map(() => 0),
      duration: new Histogram(this.#latencySeconds),
      exemplars: null,
      firstByte: null,
      bytesIn: 0,
      bytesOut: 0,
    };
    routes.set(name, figures);
    return figures;
  }

  #forget(): void {
    const { listeners, routes, pools } = this.#names;
    if (listeners.settled && routes.settled && pools.settled) return;
    const [keptListeners, keptRoutes, keptPools] = [listeners.kept(), routes.kept(), pools.kept()];
    for (const [name, figures] of this.#listeners) {
      if (!keptListeners.has(name)) this.#listeners.delete(name);
      else for (const route of figures.routes.keys()) if (!keptRoutes.has(route)) figures.routes.delete(route);
    }
    for (const tally of [this.#errors, this.#fallbacks, this.#policies, this.#notes, this.#refusals, this.#streams])
      tally.retain(0, keptListeners);
    for (const tally of [this.#errors, this.#fallbacks, this.#policies, this.#notes]) tally.retain(1, keptRoutes);
    this.#streams.retain(1, keptPools);
  }

  *#series<T>(of: (figures: RouteFigures) => T | null): Iterable<readonly [string[], T]> {
    for (const [listener, { routes }] of this.#listeners) {
      for (const [route, figures] of routes) {
        const value = of(figures);
        if (value !== null) yield [[listener, route], value];
      }
    }
  }

  *#requests(): Iterable<Series> {
    for (const [listener, { routes }] of this.#listeners) {
      for (const [route, { statuses }] of routes) {
        for (let i = 0; i < CLASSES.length; i += 1) {
          const count = statuses[i] as number;
          if (count > 0) yield [[listener, route, CLASSES[i] as string], count];
        }
      }
    }
  }

  *#overheads(): Iterable<readonly [string[], Histogram]> {
    for (const [listener, { overhead }] of this.#listeners) yield [[listener], overhead];
  }

  #addExchanges(metrics: Metrics): void {
    const labels = ['listener', 'route'];
    metrics.counter('headgate_http_requests_total', {
      help: 'Exchanges that have ended, by class of status',
      labels: [...labels, 'status'],
      tally: { entries: () => this.#requests() },
    });
    metrics.histogram('headgate_http_request_duration_seconds', {
      help: 'From the head of a request to the end of its response, tunnels aside',
      labels,
      entries: () => this.#series(durations),
    });
    metrics.histogram('headgate_http_time_to_first_byte_seconds', {
      help: 'From the head of a request to the head of the response that an endpoint gave to it',
      labels,
      entries: () => this.#series(({ firstByte }) => firstByte),
    });
    metrics.histogram('headgate_http_overhead_seconds', {
      help: 'What Headgate itself took of a request: its duration without all waits for endpoints, clients, turns and pauses',
      labels: ['listener'],
      entries: () => this.#overheads(),
    });
    metrics.counter('headgate_http_request_bytes_total', {
      help: 'Bytes of request bodies that clients have sent',
      labels,
      tally: { entries: () => this.#series(({ bytesIn }) => bytesIn) },
    });
    metrics.counter('headgate_http_response_bytes_total', {
      help: 'Bytes of response bodies that clients were sent',
      labels,
      tally: { entries: () => this.#series(({ bytesOut }) => bytesOut) },
    });
  }

  #addTallies(metrics: Metrics): void {
    metrics.counter('headgate_http_errors_total', {
      help: 'Exchanges that did not end well, by whose doing it was and why',
      labels: ['listener', 'route', 'side', 'reason'],
      tally: this.#errors,
    });
    metrics.counter('headgate_http_fallbacks_total', {
      help: 'Exchanges that no response of the pool of their route came for, by what was done instead and why',
      labels: ['listener', 'route', 'kind', 'reason'],
      tally: this.#fallbacks,
    });
    metrics.counter('headgate_http_policy_answers_total', {
      help: 'Exchanges that a policy has answered or refused in place of their route, by the policy and why',
      labels: ['listener', 'route', 'policy', 'reason'],
      tally: this.#policies,
    });
    metrics.counter('headgate_http_policy_notes_total', {
      help: 'What policies that only watch would have refused, and what else they have noted',
      labels: ['listener', 'route', 'note'],
      tally: this.#notes,
    });
    metrics.counter('headgate_refused_total', {
      help: 'Connections and requests turned away before they became an exchange',
      labels: ['listener', 'reason'],
      tally: this.#refusals,
    });
    metrics.counter('headgate_streams_total', {
      help: 'Connections forwarded as they are that have ended, by whose doing it was and why',
      labels: ['listener', 'pool', 'side', 'reason'],
      tally: this.#streams,
    });
  }
}

/** Not inlined: few exchanges are sampled. */
function noteTrace(
  figures: RouteFigures,
  bucket: number,
  { totalMs, startedAtEpoch }: ExchangeRecord,
  traceId: string,
) {
  figures.exemplars ??= new Array<Exemplar | undefined>(figures.duration.counts.length).fill(undefined);
  figures.exemplars[bucket] = { traceId, value: totalMs / 1_000, atEpoch: startedAtEpoch + totalMs };
}

function durations({ duration, exemplars }: RouteFigures): Buckets {
  return exemplars === null
    ? duration
    : { bounds: duration.bounds, counts: duration.counts, sum: duration.sum, exemplars };
}
