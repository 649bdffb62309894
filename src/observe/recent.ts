import type { Clock, TimerHandle } from '../clock.ts';
import type { ExchangeLine } from '../exchange/line.ts';
import type { ExchangeObserver } from '../exchange/observer.ts';
import type { ExchangeRecord } from '../exchange/outcome.ts';
import type { Matches } from '../filter/filter.ts';
import { lineOf } from './exchange-line.ts';

/** Everything in a line but the texts that a client or the configuration has given. */
const LINE_BYTES = 512;
/** Whoever waits is told together with what comes in this time. */
const GATHER_MS = 100;
/** Readers that wait at once; one more is answered at once. */
const MOST_WAITING = 64;

export interface RecentBounds {
  readonly entries: number;
  readonly bytes: number;
}

/** What a reader wants of them. */
export interface RecentQuery {
  /** `next` of the page before; `null` for the first. */
  readonly after: number | null;
  /** Of a first page: how many of the last ones, before those that come. */
  readonly last: number;
  /** Most lines of a page. */
  readonly limit: number;
  /** `null` for all. */
  readonly matches: Matches | null;
}

export interface RecentPage {
  /** Oldest first. */
  readonly lines: readonly ExchangeLine[];
  /** For the next page. */
  readonly next: number;
  /** Exchanges since `after` that were forgotten before they were read. */
  readonly missed: number;
}

/**
 * The exchanges that ended lately, whether or not they have a line in the access log. Bounded in number and in bytes, as far as can
 * be told from the lengths of their texts; the oldest go first. Hot: one object and no text an exchange. Readers bring nothing to
 * be kept for them: each says what it has read, and what was forgotten meanwhile it is told. Nothing secret (`ExchangeLine`).
 */
export class RecentExchanges implements ExchangeObserver {
  readonly #bounds: RecentBounds;
  readonly #clock: Clock;
  readonly #lines: (ExchangeLine | null)[];
  readonly #sizes: Int32Array;
  #bytes = 0;
  /** Number of the oldest that is there, and of the next that comes: they count from the start of the process. */
  #oldest = 0;
  #next = 0;
  readonly #waiting = new Set<() => void>();
  #timer: TimerHandle | null = null;
  #closed = false;
  readonly #startedMs: number;

  /** `bounds.entries` is above 0. */
  constructor(bounds: RecentBounds, clock: Clock) {
    this.#bounds = bounds;
    this.#clock = clock;
    this.#startedMs = clock.now();
    this.#lines = new Array<ExchangeLine | null>(bounds.entries).fill(null);
    this.#sizes = new Int32Array(bounds.entries);
  }

  finished(record: ExchangeRecord): void {
    const { entries, bytes } = this.#bounds;
    // Of the whole target: the path is a part of it, which keeps it alive.
    const { target, authority, method } = record.request;
    const size = LINE_BYTES + target.length + authority.length + method.length;
    if (this.#next - this.#oldest === entries) this.#forget();
    const slot = this.#next % entries;
    this.#lines[slot] = lineOf(record);
    this.#sizes[slot] = size;
    this.#bytes += size;
    this.#next += 1;
    while (this.#bytes > bytes && this.#oldest < this.#next) this.#forget();
    if (this.#waiting.size > 0) this.#timer ??= this.#clock.after(GATHER_MS, () => this.#wake());
  }

  /** From then on everything is here, milliseconds since the epoch. */
  get sinceMs(): number {
    if (this.#oldest === 0) return this.#startedMs;
    if (this.#oldest === this.#next) return this.#clock.now();
    const { time, totalMs } = this.#at(this.#oldest);
    return time + totalMs;
  }

  get size(): number {
    return this.#next - this.#oldest;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** All of them, oldest first. */
  *[Symbol.iterator](): Generator<ExchangeLine> {
    for (let i = this.#oldest; i < this.#next; i += 1) yield this.#at(i);
  }

  read(query: RecentQuery): RecentPage {
    return query.after === null ? this.#first(query) : this.#rest(query, query.after);
  }

  /** The same, but not before there is something, the gateway stops, or `patienceMs` have passed. */
  async follow(query: RecentQuery, patienceMs: number): Promise<RecentPage> {
    const until = this.#clock.monotonic() + patienceMs;
    let page = this.read(query);
    let { missed } = page;
    while (page.lines.length === 0 && missed === 0) {
      const leftMs = until - this.#clock.monotonic();
      if (leftMs <= 0 || this.#closed || this.#waiting.size >= MOST_WAITING) break;
      await this.#more(leftMs);
      page = this.read({ ...query, after: page.next });
      missed += page.missed;
    }
    return { ...page, missed };
  }

  /** Whoever waits is answered; nobody waits any more. */
  close(): void {
    this.#closed = true;
    this.#wake();
  }

  #first({ last, limit, matches }: RecentQuery): RecentPage {
    const lines: ExchangeLine[] = [];
    const most = Math.min(last, limit);
    for (let i = this.#next - 1; i >= this.#oldest && lines.length < most; i -= 1) {
      const line = this.#at(i);
      if (matches === null || matches(line)) lines.push(line);
    }
    return { lines: lines.reverse(), next: this.#next, missed: 0 };
  }

  #rest({ limit, matches }: RecentQuery, after: number): RecentPage {
    // A number that was never given out is from another life of the gateway.
    const from = after > this.#next ? this.#oldest : Math.max(after, this.#oldest);
    const missed = after > this.#next ? 0 : from - after;
    const lines: ExchangeLine[] = [];
    let next = from;
    for (; next < this.#next && lines.length < limit; next += 1) {
      const line = this.#at(next);
      if (matches === null || matches(line)) lines.push(line);
    }
    return { lines, next, missed };
  }

  #at(number: number): ExchangeLine {
    return this.#lines[number % this.#bounds.entries] as ExchangeLine;
  }

  #forget(): void {
    const slot = this.#oldest % this.#bounds.entries;
    this.#bytes -= this.#sizes[slot] as number;
    this.#lines[slot] = null;
    this.#oldest += 1;
  }

  #more(patienceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#clock.cancel(timer);
        this.#waiting.delete(done);
        resolve();
      };
      const timer = this.#clock.after(patienceMs, done);
      this.#waiting.add(done);
    });
  }

  #wake(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
    for (const done of [...this.#waiting]) done();
  }
}
