import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import type { Clock, TimerHandle } from '../../clock.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { Logger } from '../log.ts';
import { judgeAnswer, type OtlpAnswer, type OtlpVerdict } from './otlp-answer.ts';

/** How spans are handed over. */
export interface ExportPolicy {
  /** For messages: where to. */
  readonly url: string;
  readonly headers: HeaderList;
  readonly gzip: boolean;
  /** Longest wait of a span before it is sent. */
  readonly intervalMs: number;
  /** Most spans of one request. */
  readonly batch: number;
  /** Most spans that wait. */
  readonly queue: number;
}

/** Why spans were not delivered. */
export type SpanDrop = 'queue-full' | 'refused' | 'undelivered' | 'shutdown';

/** What became of spans, since the start of the process. */
export interface SpanCounts {
  exported: number;
  /** Requests that brought no success. */
  failures: number;
  readonly dropped: Map<SpanDrop, number>;
}

export interface SpanExporterParts {
  readonly policy: ExportPolicy;
  /** As OTLP/JSON. */
  readonly resource: string;
  readonly version: string;
  /** Rejects when there is no answer. */
  readonly send: (body: Uint8Array, headers: HeaderList) => Promise<OtlpAnswer>;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
  readonly counts: SpanCounts;
}

/** With these pauses between them, some fifteen seconds. */
const MOST_TRIES = 5;
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 30_000;

const compress = promisify(gzip);

/**
 * Hands spans to a collector by OTLP/HTTP with JSON: in batches, one request at a time, again after what OTLP calls retryable, up to
 * five times. Holds `queue` spans of at most 8 KiB that wait, and one batch that is being sent; what is more is dropped and counted.
 * Never throws, and nothing waits for it: a dead collector costs spans, not requests.
 */
export class SpanExporter {
  readonly #parts: SpanExporterParts;
  #waiting: string[] = [];
  #timer: TimerHandle | null = null;
  #run: Promise<void> | null = null;
  /** Ends the pause that is under way before it is over. */
  #wake: (() => void) | null = null;
  #phase: 'open' | 'closing' | 'closed' = 'open';
  /** Nothing has been delivered since something was not. */
  #inTrouble = false;
  /** Dropped since then. */
  #lost = 0;

  constructor(parts: SpanExporterParts) {
    this.#parts = parts;
  }

  /** Spans that wait. */
  get queued(): number {
    return this.#waiting.length;
  }

  /** Takes one span, as OTLP/JSON. */
  add(span: string): void {
    const { queue, batch, intervalMs } = this.#parts.policy;
    if (this.#phase !== 'open') {
      this.#drop(1, 'shutdown');
      return;
    }
    if (this.#waiting.length >= queue) {
      this.#drop(1, 'queue-full');
      return;
    }
    this.#waiting.push(span);
    if (this.#waiting.length >= batch) this.#begin();
    else this.#timer ??= this.#parts.clock.after(intervalMs, () => this.#begin());
  }

  /**
   * Takes no more spans; resolves when what waits is delivered, or could not be, or after `patienceMs`. What a collector asks to wait is
   * not waited for any more.
   */
  async close(patienceMs: number): Promise<void> {
    if (this.#phase !== 'open') return;
    this.#phase = 'closing';
    this.#begin();
    this.#wake?.();
    const { clock } = this.#parts;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const timer = clock.after(patienceMs, resolve);
    await Promise.race([this.#run, late]);
    // It may have been at its end already when it was told to go on.
    this.#begin();
    await Promise.race([this.#run, late]);
    clock.cancel(timer);
    this.#phase = 'closed';
    this.#wake?.();
    this.#drop(this.#waiting.length, 'shutdown');
    this.#waiting = [];
  }

  #begin(): void {
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
    if (this.#run !== null || this.#waiting.length === 0) return;
    this.#run = this.#deliverAll().finally(() => {
      this.#run = null;
      if (this.#waiting.length > 0 && this.#phase === 'open') {
        this.#timer ??= this.#parts.clock.after(this.#parts.policy.intervalMs, () => this.#begin());
      }
    });
  }

  /** Everything that waits, also what comes meanwhile, as long as it fills a batch. */
  async #deliverAll(): Promise<void> {
    const { batch } = this.#parts.policy;
    do {
      const spans = this.#waiting.splice(0, batch);
      if (!(await this.#deliver(spans))) break;
    } while (this.#waiting.length >= batch || (this.#phase === 'closing' && this.#waiting.length > 0));
  }

  /** False when there is no use in going on with the next. */
  async #deliver(spans: readonly string[]): Promise<boolean> {
    const { counts, log, policy } = this.#parts;
    const request = await this.#request(spans);
    for (let tries = 1; ; tries += 1) {
      const verdict = await this.#try(request);
      if (this.#phase === 'closed') return this.#giveUp(spans, 'shutdown');
      if (verdict.kind === 'taken') {
        counts.exported += spans.length - Math.min(spans.length, verdict.rejected);
        if (verdict.rejected > 0) this.#drop(Math.min(spans.length, verdict.rejected), 'refused');
        if (verdict.message !== null) log.warn({ url: policy.url, said: verdict.message }, 'The collector complains');
        this.#delivered();
        return true;
      }
      counts.failures += 1;
      this.#tell(verdict.why);
      if (verdict.kind === 'refused') return !this.#giveUp(spans, 'refused');
      if (tries === MOST_TRIES || this.#phase === 'closing') return this.#giveUp(spans, 'undelivered');
      await this.#pause(verdict.afterMs ?? this.#backoffMs(tries));
    }
  }

  async #request(spans: readonly string[]): Promise<{ body: Uint8Array; headers: HeaderList }> {
    const { policy, resource, version } = this.#parts;
    const scope = `{"name":"headgate","version":${JSON.stringify(version)}}`;
    const text = `{"resourceSpans":[{"resource":${resource},"scopeSpans":[{"scope":${scope},"spans":[${spans.join(',')}]}]}]}`;
    const plain = Buffer.from(text);
    const headers = ['Content-Type', 'application/json', ...policy.headers];
    if (!policy.gzip) return { body: plain, headers };
    return { body: await compress(plain), headers: [...headers, 'Content-Encoding', 'gzip'] };
  }

  async #try({ body, headers }: { readonly body: Uint8Array; readonly headers: HeaderList }): Promise<OtlpVerdict> {
    const { send, clock } = this.#parts;
    try {
      return judgeAnswer(await send(body, headers), clock.now());
    } catch (error) {
      const { reason } = error as { readonly reason?: unknown };
      return { kind: 'again', afterMs: null, why: typeof reason === 'string' ? reason : 'no-answer' };
    }
  }

  /** Doubled each time, and up to half of it less: gateways that lost their collector together do not come back together. */
  #backoffMs(tries: number): number {
    const ms = Math.min(LONGEST_PAUSE_MS, FIRST_PAUSE_MS * 2 ** (tries - 1));
    return ms * (1 - this.#parts.random() / 2);
  }

  #pause(ms: number): Promise<void> {
    const { clock } = this.#parts;
    return new Promise((resolve) => {
      if (this.#phase !== 'open') {
        resolve();
        return;
      }
      const timer = clock.after(ms, () => this.#wake?.());
      const wake = (): void => {
        this.#wake = null;
        clock.cancel(timer);
        resolve();
      };
      this.#wake = wake;
    });
  }

  #giveUp(spans: readonly string[], why: SpanDrop): false {
    this.#drop(spans.length, why);
    return false;
  }

  #drop(count: number, why: SpanDrop): void {
    if (count === 0) return;
    const { dropped } = this.#parts.counts;
    dropped.set(why, (dropped.get(why) ?? 0) + count);
    if (why === 'queue-full') this.#tell(why);
    if (this.#inTrouble) this.#lost += count;
  }

  /** One line when it begins, and one when it is over: in between nobody learns anything from another. */
  #tell(why: string): void {
    if (this.#inTrouble) return;
    this.#inTrouble = true;
    this.#parts.log.warn({ url: this.#parts.policy.url, why }, 'Spans can not be delivered');
  }

  /** A collector that takes them, but too slowly, is trouble still. */
  #delivered(): void {
    const { url, queue } = this.#parts.policy;
    if (!this.#inTrouble || this.#waiting.length > queue / 2) return;
    this.#inTrouble = false;
    this.#parts.log.info({ url, dropped: this.#lost }, 'Spans are delivered again');
    this.#lost = 0;
  }
}
