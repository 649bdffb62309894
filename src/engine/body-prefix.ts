import type { Clock, TimerHandle } from '../clock.ts';
import { badRequest, GatewayError } from '../errors.ts';
import type { BodySink } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { Consultation, Verdict } from '../policy/admit.ts';
import type { PrefixMemory, PrefixWaiter } from './prefix-memory.ts';
import { PrefixedBody } from './prefixed-body.ts';
import type { Progress } from './progress.ts';

/** How bodies are read for the sake of routes that ask what they say. */
export interface BodyMatching {
  /** Most that is looked at of one body. */
  readonly limitBytes: number;
  /** Longest wait for room, and then for the bytes. */
  readonly timeoutMs: number;
  readonly memory: PrefixMemory;
  readonly clock: Clock;
}

/** A chunk may reach so far beyond the limit; what Node reads at once. */
const CHUNK_BYTES = 64 * 1024;
/** Room for the first bytes of a body of unknown length; more is made by doubling. */
const FIRST_BYTES = 4 * 1024;

/**
 * Reads the beginning of a request's body, up to one byte beyond the limit or to its end, and puts a source in place of it that begins with what was
 * read. Bytes are copied as they come: a piece of one byte would keep the whole buffer that it was received in. Of the memory it takes what it may
 * come to need before it reads anything, so that none waits for another one that waits as well.
 */
export class BodyPrefix implements Consultation, BodySink {
  readonly whom = 'the body of the request';
  onDrain: (() => void) | null = null;
  readonly #progress: Progress;
  readonly #matching: BodyMatching;
  readonly #waiter: PrefixWaiter;
  #buffer: Uint8Array = new Uint8Array(0);
  #bytes = 0;
  #state: 'waiting' | 'reading' | 'over' = 'waiting';
  #done: (verdict: Verdict | null) => void = () => {};
  #timer: TimerHandle | null = null;

  constructor(progress: Progress, matching: BodyMatching) {
    this.#progress = progress;
    this.#matching = matching;
    const { length } = progress.requestBody;
    const { limitBytes } = matching;
    const bytes = length !== null && length <= limitBytes ? length : limitBytes + CHUNK_BYTES;
    this.#waiter = { bytes, granted: () => this.#read() };
  }

  begin(done: (verdict: Verdict | null) => void): void {
    this.#done = done;
    this.#startTimer();
    this.#matching.memory.take(this.#waiter);
  }

  cancel(): void {
    this.#end();
  }

  // ---- what the body delivers

  data(chunk: Uint8Array): boolean {
    if (this.#state !== 'reading') return false;
    this.#append(chunk);
    if (this.#bytes <= this.#matching.limitBytes) return true;
    this.#progress.requestBody.unpipe();
    this.#complete(false, null);
    return false;
  }

  end(trailers: HeaderList | null): void {
    if (this.#state === 'reading') this.#complete(true, trailers);
  }

  fail(cause: GatewayError): void {
    this.#refuse(cause);
  }

  #read(): void {
    this.#state = 'reading';
    this.#startTimer();
    const { exchange, requestBody } = this.#progress;
    // RFC 9110 §10.1.1: nothing but its body can say where the request belongs.
    if (exchange.sendContinue !== null) exchange.sendContinue();
    requestBody.pipe(this);
  }

  #append(chunk: Uint8Array): void {
    const needed = this.#bytes + chunk.byteLength;
    if (needed > this.#buffer.byteLength) {
      const most = Math.max(needed, this.#waiter.bytes);
      const grown = new Uint8Array(Math.min(most, Math.max(needed, 2 * this.#buffer.byteLength, FIRST_BYTES)));
      grown.set(this.#buffer.subarray(0, this.#bytes));
      this.#buffer = grown;
    }
    this.#buffer.set(chunk, this.#bytes);
    this.#bytes = needed;
  }

  #complete(ended: boolean, trailers: HeaderList | null): void {
    const { memory, limitBytes } = this.#matching;
    const progress = this.#progress;
    const held = this.#bytes;
    const read = held === this.#buffer.byteLength ? this.#buffer : this.#buffer.slice(0, held);
    this.#state = 'over';
    this.#stopTimer();
    const body = new PrefixedBody(read, progress.requestBody, { ended, trailers }, () => memory.giveBack(held));
    progress.requestBody = body;
    progress.atEnd(() => body.release());
    progress.message?.read({ bytes: read.subarray(0, limitBytes), isWhole: held <= limitBytes });
    memory.giveBack(this.#waiter.bytes - held);
    this.#answer(null);
  }

  #late(): void {
    this.#timer = null;
    this.#refuse(this.#state === 'reading' ? badRequest('body-prefix-timeout', 408) : noRoom());
  }

  #refuse(error: GatewayError): void {
    if (this.#state === 'over') return;
    this.#end();
    this.#answer({ kind: 'refuse', error });
  }

  #end(): void {
    const { memory } = this.#matching;
    const before = this.#state;
    this.#state = 'over';
    this.#stopTimer();
    if (before === 'waiting') memory.leave(this.#waiter);
    else if (before === 'reading') {
      this.#progress.requestBody.unpipe();
      memory.giveBack(this.#waiter.bytes);
    }
  }

  #startTimer(): void {
    const { clock, timeoutMs } = this.#matching;
    this.#stopTimer();
    if (timeoutMs > 0) this.#timer = clock.after(timeoutMs, () => this.#late());
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#matching.clock.cancel(this.#timer);
    this.#timer = null;
  }

  /** Not within the call of the body's source: it may be piped again at once. */
  #answer(verdict: Verdict | null): void {
    queueMicrotask(() => this.#done(verdict));
  }
}

function noRoom(): GatewayError {
  return new GatewayError('connection_limit_reached', {
    blame: 'gateway',
    status: 503,
    reason: 'body-prefix-memory',
  });
}
