import { clientGone, type GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import { requestTrailers } from '../http/trailers.ts';

/** More than this of an unwanted request body is not read only to keep a connection. */
export const DISCARD_BYTES = 256 * 1024;

/** Window in which a body must reach the minimum rate. */
const RATE_WINDOW_MS = 10_000;

/** What a body is pushed out of: as much of Node's `Readable` as that takes. */
export interface BodyFlow {
  /** `end` was told. */
  readonly readableEnded: boolean;
  on(event: 'end', listener: () => void): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  /** Chunks come from the next tick on. */
  resume(): unknown;
  pause(): unknown;
}

/** What the protocol knows of a body on its way. */
export interface BodyWire {
  /** All of it was received, though perhaps not handed on yet; still false at the stream's `end` if it was cut short. */
  readonly complete: boolean;
  /** Trailer fields; asked for at the end. */
  readonly trailers: HeaderList;
  /** More came than it is worth to read and drop: stop the client. */
  stop(): void;
}

type State = 'unread' | 'flowing' | 'detached' | 'discarding' | 'failed' | 'over';

/** The body of a request that has one, pushed out of a stream with back-pressure. */
export class RequestBody implements BodySource {
  readonly length: number | null;
  untouched = true;
  /** Bytes taken off the wire so far. */
  received = 0;
  /** The client was told to send it, or needs no telling (`Expect: 100-continue`). */
  invited = true;
  readonly #stream: BodyFlow;
  readonly #wire: BodyWire;
  #sink: BodySink | null = null;
  #state: State = 'unread';
  #paused = false;
  #listening = false;
  #failure: GatewayError | null = null;
  #endTold = false;
  #budget = DISCARD_BYTES;
  #windowStart = 0;
  #windowBytes = 0;

  constructor(stream: BodyFlow, wire: BodyWire, length: number | null) {
    this.#stream = stream;
    this.#wire = wire;
    this.length = length;
  }

  /** Everything was received. */
  get complete(): boolean {
    return this.#wire.complete;
  }

  /** At most this much is still to come; infinite when that is unknown, or when what comes is not to be trusted. */
  get remaining(): number {
    if (this.#failure !== null) return Number.POSITIVE_INFINITY;
    if (this.#wire.complete) return 0;
    return this.length === null ? Number.POSITIVE_INFINITY : this.length - this.received;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
      return;
    }
    if (this.#state === 'over' && (this.received === 0 || !this.#endTold)) {
      // Nothing was in it, so nothing was used up: an attempt after the first gets the same end. Or it came between two of them.
      this.#endInto(into);
      return;
    }
    if (this.#state === 'over' || this.#state === 'discarding') return;
    this.#sink = into;
    into.onDrain = this.#resume;
    this.#flow('flowing');
  }

  unpipe(): void {
    this.#sink = null;
    if (this.#state !== 'flowing') return;
    this.#state = 'detached';
    this.#pause();
  }

  discard(): void {
    this.#sink = null;
    if (this.#state === 'over' || this.#state === 'discarding') return;
    this.#flow('discarding');
  }

  /** Cuts the body short: the client left, was too slow, or broke its framing. Idempotent; no effect after the end. */
  fail(cause: GatewayError): void {
    if (this.#state === 'over' || this.#failure !== null) return;
    this.#state = 'failed';
    this.#failure = cause;
    this.#pause();
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) sink.fail(cause);
  }

  /**
   * Called at every sweep: true when the body is read but came slower than `bytesPerSecond` over the last 10 s. Silence
   * that we caused by not reading is not the client's: the window then starts anew.
   */
  isTooSlow(nowMs: number, bytesPerSecond: number): boolean {
    const reading = this.#state === 'flowing' && !this.#paused && this.invited && !this.#wire.complete;
    const elapsed = nowMs - this.#windowStart;
    const bytes = this.received - this.#windowBytes;
    if (!reading || this.#windowStart === 0 || elapsed >= RATE_WINDOW_MS) {
      const slow = reading && this.#windowStart !== 0 && bytes < (bytesPerSecond * elapsed) / 1000;
      this.#windowStart = reading ? nowMs : 0;
      this.#windowBytes = this.received;
      return slow;
    }
    return false;
  }

  #take(chunk: Uint8Array): void {
    this.received += chunk.byteLength;
    if (this.#state === 'discarding') {
      this.#budget -= chunk.byteLength;
      if (this.#budget < 0) this.#wire.stop();
      return;
    }
    const sink = this.#sink;
    if (sink === null) return;
    this.untouched = false;
    if (sink.data(chunk) || this.#sink === null) return;
    this.#pause();
  }

  #ended(): void {
    if (this.#state === 'over' || this.#state === 'failed') return;
    if (!this.#wire.complete) {
      this.fail(clientGone());
      return;
    }
    this.#state = 'over';
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) this.#endInto(sink);
  }

  #endInto(sink: BodySink): void {
    this.#endTold = true;
    const { trailers } = this.#wire;
    sink.end(trailers.length === 0 ? null : requestTrailers(trailers));
  }

  #flow(state: State): void {
    this.#state = state;
    this.#paused = false;
    if (this.#stream.readableEnded) {
      // An HTTP/2 stream that ends without a byte says so at once, whether or not anybody reads it.
      this.#ended();
      return;
    }
    if (!this.#listening) {
      this.#listening = true;
      this.#stream.on('end', () => this.#ended());
      this.#stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    }
    this.#stream.resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  readonly #resume = (): void => {
    if (this.#state !== 'flowing' || !this.#paused) return;
    this.#paused = false;
    this.#stream.resume();
  };
}
