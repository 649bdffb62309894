import { randomUUID } from 'node:crypto';
import type { Clock } from '../clock.ts';
import type { Compiled } from '../control/compile.ts';
import type { OtlpTarget } from '../control/compile-tracing.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord, RefreshRecord } from '../exchange/outcome.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import {
  attemptSpan,
  isFailed,
  isTraced,
  refreshSpan,
  serverSpan,
  type TracedRecord,
} from '../observe/trace/exchange-spans.ts';
import { resourceOf } from '../observe/trace/resource.ts';
import { encodeSpan, type Span } from '../observe/trace/span.ts';
import { type SpanCounts, SpanExporter } from '../observe/trace/span-exporter.ts';
import { addTraceMetrics } from '../observe/trace-metrics.ts';
import type { PathMatch } from '../routing/route.ts';
import { version } from '../version.ts';

/** Spans that wait when the gateway stops, or when a reload sends them elsewhere, have this long to be delivered. */
const PATIENCE_MS = 5_000;

/** No collector has more to say. */
const ANSWER_BYTES = 64 * 1024;

export interface TracesParts {
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly http: HttpClient;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

/** Spans of exchanges and attempts, and where they go. */
export class Traces implements ExchangeObserver {
  readonly #parts: TracesParts;
  readonly #counts: SpanCounts = { exported: 0, failures: 0, dropped: new Map() };
  readonly #instance = randomUUID();
  #target: OtlpTarget | null = null;
  #exporter: SpanExporter | null = null;
  /** Paths by name of route, as the configuration has them. */
  #templates: ReadonlyMap<string, string> = new Map();

  constructor(parts: TracesParts) {
    this.#parts = parts;
    addTraceMetrics(parts.metrics, this.#counts, () => this.#exporter?.queued ?? 0);
  }

  /** From now on spans are made and sent as this configuration says. */
  adopt({ otlp, routes }: Pick<Compiled, 'otlp' | 'routes'>): void {
    if (otlp === null) this.#templates = new Map();
    else this.#templates = new Map(routes.flatMap(({ name, match }) => templateOf(name, match.path)));
    if (JSON.stringify(otlp) === JSON.stringify(this.#target)) return;
    void this.#exporter?.close(PATIENCE_MS);
    this.#target = otlp;
    this.#exporter = otlp === null ? null : this.#newExporter(otlp);
  }

  finished(record: ExchangeRecord): void {
    if (isTraced(record)) this.#export(record, () => serverSpan(record, this.#templateOf(record)));
  }

  refreshed(record: RefreshRecord): void {
    if (isTraced(record)) this.#export(record, () => refreshSpan(record, this.#templateOf(record)));
  }

  /** Resolves when what waits is delivered, or after 5 s. */
  async close(): Promise<void> {
    await this.#exporter?.close(PATIENCE_MS);
  }

  /** An attempt that goes on without its exchange, for the cache, follows when it is over. */
  #export(record: TracedRecord, span: () => Span): void {
    const exporter = this.#exporter;
    if (exporter === null || !(record.trace.sampled || isFailed(record))) return;
    exporter.add(encodeSpan(span()));
    for (const attempt of record.trace.attempts) {
      const add = (): void => exporter.add(encodeSpan(attemptSpan(record, attempt)));
      if (attempt.endedMs >= 0) add();
      else attempt.onEnd = add;
    }
  }

  #templateOf({ route }: ExchangeRecord): string | null {
    return route === null ? null : (this.#templates.get(route) ?? null);
  }

  #newExporter(target: OtlpTarget): SpanExporter {
    const { clock, log, http, environment } = this.#parts;
    const { url, ca, timeoutMs, intervalMs, resource } = target;
    // Between two batches of a busy gateway, but not much longer than a collector keeps an idle one.
    const connection = { keepAliveMs: Math.min(30_000, 2 * intervalMs), ca, timeoutMs, limitBytes: ANSWER_BYTES };
    return new SpanExporter({
      policy: target,
      resource: resourceOf({ version, instance: this.#instance, configured: resource, environment }),
      version,
      send: (body, headers) => http({ method: 'POST', url, headers, body, ...connection }),
      clock,
      random: Math.random,
      log,
      counts: this.#counts,
    });
  }
}

/** A regular expression is no template. */
function templateOf(name: string, path: PathMatch | undefined): readonly (readonly [string, string])[] {
  if (path === undefined) return [[name, '/**']];
  if (path.kind === 'regex') return [];
  return [[name, path.kind === 'prefix' ? `${path.value === '/' ? '' : path.value}/**` : path.value]];
}
