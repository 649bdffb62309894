import { Counter, Gauge, Registry } from '@prometheus-io/client';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord } from '../exchange/outcome.ts';
import type { StreamObserver, StreamRecord } from '../exchange/stream.ts';
import { Tally } from './tally.ts';

/** What is asked when somebody reads the metrics. */
export interface MetricSources {
  /** Open connections by listener name. */
  readonly connections: () => Iterable<readonly [listener: string, open: number]>;
  readonly certificates: () => Iterable<CertificateEnd>;
}

/** When a certificate ends. */
export interface CertificateEnd {
  readonly listener: string;
  /** The file, or what else it comes from. */
  readonly from: string;
  /** ISO 8601; `null` while nothing could be loaded. */
  readonly notAfter: string | null;
}

/**
 * Counts for Prometheus. Labels come from the configuration and from enumerations, never from a request, so there are at most
 * (listeners × routes × 6) + (listeners × routes × reasons) series. Hot: an exchange costs two map look-ups here (see
 * `Tally`); the library's own counters would take 0.3 µs each.
 */
export class Metrics implements ExchangeObserver, StreamObserver {
  readonly #registry = new Registry();
  readonly #exchanges = new Tally();
  readonly #errors = new Tally();
  readonly #refusals = new Tally();
  readonly #fallbacks = new Tally();
  readonly #streams = new Tally();

  constructor(sources: MetricSources) {
    this.counter('headgate_exchanges_total', {
      help: 'Exchanges that have ended, by class of status',
      labels: ['listener', 'route', 'status'],
      tally: this.#exchanges,
    });
    this.counter('headgate_exchange_errors_total', {
      help: 'Exchanges that did not end well, by whose doing it was and why',
      labels: ['listener', 'route', 'side', 'reason'],
      tally: this.#errors,
    });
    this.counter('headgate_fallbacks_total', {
      help: 'Exchanges that no response of the pool of their route came for, by what was done instead and why',
      labels: ['listener', 'route', 'kind', 'reason'],
      tally: this.#fallbacks,
    });
    this.counter('headgate_refused_total', {
      help: 'Connections and requests turned away before they became an exchange',
      labels: ['listener', 'reason'],
      tally: this.#refusals,
    });
    this.counter('headgate_streams_total', {
      help: 'Connections forwarded as they are that have ended, by whose doing it was and why',
      labels: ['listener', 'pool', 'side', 'reason'],
      tally: this.#streams,
    });
    this.gauge('headgate_connections', {
      help: 'Open client connections',
      labels: ['listener'],
      read: (set) => {
        for (const [listener, count] of sources.connections()) set({ listener }, count);
      },
    });
    this.gauge('headgate_certificate_not_after_seconds', {
      help: 'When a certificate ends, in seconds since 1970; 0 for one that can not be used',
      labels: ['listener', 'from'],
      read: (set) => {
        for (const { listener, from, notAfter } of sources.certificates()) {
          set({ listener, from }, notAfter === null ? 0 : Date.parse(notAfter) / 1000);
        }
      },
    });
  }

  finished(record: ExchangeRecord): void {
    const route = record.route ?? '';
    this.#exchanges.add(record.listener, route, statusClass(record.status));
    const { end, fallback } = record;
    if (fallback !== null) this.#fallbacks.add(record.listener, route, fallback.kind, fallback.why);
    if (end.error !== null || end.bug !== null) this.#errors.add(record.listener, route, end.side, end.reason);
  }

  streamFinished({ listener, pool, end }: StreamRecord): void {
    this.#streams.add(listener, pool, end.side, end.reason);
  }

  refused(listener: string, reason: string): void {
    this.#refusals.add(listener, reason);
  }

  /** In the text format that `contentType` names. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds a family whose values are asked for when somebody reads the metrics. */
  gauge(
    name: string,
    parts: {
      help: string;
      labels: readonly string[];
      read: (set: (labels: Record<string, string>, value: number) => void) => void;
    },
  ): void {
    const gauge = new Gauge({
      name,
      help: parts.help,
      labelNames: [...parts.labels],
      registers: [this.#registry],
      collect: () => {
        gauge.reset();
        parts.read((labels, value) => gauge.set(labels, value));
      },
    });
  }

  /** Adds a family that shows what `tally` has counted. */
  counter(name: string, parts: { help: string; labels: readonly string[]; tally: Pick<Tally, 'entries'> }): void {
    const { help, labels, tally } = parts;
    const counter = new Counter({
      name,
      help,
      labelNames: [...labels],
      registers: [this.#registry],
      collect: () => {
        counter.reset();
        for (const [values, count] of tally.entries()) {
          counter.inc(Object.fromEntries(labels.map((label, i) => [label, values[i] as string])), count);
        }
      },
    });
  }
}

const CLASSES = ['', '1xx', '2xx', '3xx', '4xx', '5xx'] as const;

function statusClass(status: number): string {
  return CLASSES[Math.floor(status / 100)] ?? '';
}
