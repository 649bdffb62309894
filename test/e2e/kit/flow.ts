import type { Writable } from 'node:stream';
import { eventually } from './patience.ts';

/** Written again and again: what matters is how much, not what. */
const CHUNK = Buffer.alloc(1024 * 1024, 'headgate');

/** Writes a number of bytes as fast as they are taken, and knows when they are not. */
export class FloodWriter {
  /** Settles when the last byte was handed over. */
  readonly done: Promise<void>;
  readonly #into: Writable;
  #left: number;
  #written = 0;
  #blocked = false;
  readonly #finish: () => void;

  constructor(into: Writable, bytes: number) {
    this.#into = into;
    this.#left = bytes;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.done = promise;
    this.#finish = resolve;
    into.on('drain', () => {
      this.#blocked = false;
      this.#pump();
    });
    this.#pump();
  }

  /** Bytes that have left this process. */
  get sent(): number {
    return this.#written - this.#into.writableLength;
  }

  /** Resolves when the other side takes no more: everything between here and there is full. */
  async stuck(): Promise<void> {
    let sentBefore = -1;
    let quietLooks = 0;
    await eventually(() => {
      const moved = this.sent !== sentBefore;
      sentBefore = this.sent;
      quietLooks = moved || !this.#blocked ? 0 : quietLooks + 1;
      return quietLooks >= QUIET_LOOKS ? true : null;
    }, 'the writer to meet back-pressure');
  }

  #pump(): void {
    while (this.#left > 0 && !this.#blocked) {
      const chunk = this.#left < CHUNK.length ? CHUNK.subarray(0, this.#left) : CHUNK;
      this.#left -= chunk.length;
      this.#written += chunk.length;
      this.#blocked = !this.#into.write(chunk);
    }
    if (this.#left === 0) this.#finish();
  }
}

/** So many looks in a row without a byte moved mean that none is going to move. */
const QUIET_LOOKS = 5;

/** Something that is read from, and can stop being read. */
export interface Pausable {
  pause(): unknown;
  resume(): unknown;
}

export interface SlowReaderOptions {
  /** Bytes that are coming. */
  readonly total: number;
  /** How many times reading stops, evenly spread, until the writer is stuck. */
  readonly pauses: number;
  readonly writer: () => FloodWriter;
}

/** Counts what is read and drops it; stops reading now and then until the writer's side has felt it. */
export class SlowReader {
  received = 0;
  /** The most that was ever under way between writer and reader while the reader had stopped. */
  mostBetween = 0;
  pauses = 0;
  readonly done: Promise<void>;
  readonly #source: Pausable;
  readonly #options: SlowReaderOptions;
  readonly #resolve: () => void;
  readonly #reject: (error: unknown) => void;
  #nextPause: number;

  constructor(source: Pausable, options: SlowReaderOptions) {
    this.#source = source;
    this.#options = options;
    this.#nextPause = options.total / (options.pauses + 1);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.done = promise;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  take(bytes: number): void {
    this.received += bytes;
    if (this.received >= this.#options.total) this.#resolve();
    else if (this.received >= this.#nextPause && this.pauses < this.#options.pauses) this.#pause();
  }

  fail(error: unknown): void {
    this.#reject(error);
  }

  #pause(): void {
    this.pauses += 1;
    this.#nextPause += this.#options.total / (this.#options.pauses + 1);
    this.#source.pause();
    const writer = this.#options.writer();
    writer.stuck().then(() => {
      this.mostBetween = Math.max(this.mostBetween, writer.sent - this.received);
      this.#source.resume();
    }, this.#reject);
  }
}
