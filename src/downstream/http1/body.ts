import type { GatewayError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../exchange/body.ts';
import type { Http1Request } from './message.ts';

/** More than this of an unwanted request body is not read only to keep a connection. */
export const DISCARD_BYTES = 256 * 1024;

type State = 'unread' | 'flowing' | 'detached' | 'discarding' | 'failed' | 'over';

/** The body of an HTTP/1.x request that has one. */
export class Http1Body implements BodySource {
  readonly length: number | null;
  untouched = true;
  /** Bytes taken off the wire so far. */
  received = 0;
  /** The client was told to send it, or needs no telling (`Expect: 100-continue`). */
  invited = true;
  readonly #request: Http1Request;
  #sink: BodySink | null = null;
  #state: State = 'unread';
  #paused = false;
  #listening = false;
  #failure: GatewayError | null = null;
  #budget = DISCARD_BYTES;

  constructor(request: Http1Request, length: number | null) {
    this.#request = request;
    this.length = length;
    request.body = this;
  }

  /** Everything was received. */
  get complete(): boolean {
    return this.#request.complete;
  }

  /** The engine takes what comes: silence is the client's. */
  get reading(): boolean {
    return this.#state === 'flowing' && !this.#paused && this.invited;
  }

  /** At most this much is still to come; infinite when that is unknown, or when what comes is not to be trusted. */
  get remaining(): number {
    if (this.#failure !== null) return Number.POSITIVE_INFINITY;
    if (this.#request.complete) return 0;
    return this.length === null ? Number.POSITIVE_INFINITY : this.length - this.received;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
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

  /** Cuts the body short: the client left, was too slow, or broke its framing. Idempotent. */
  fail(cause: GatewayError): void {
    if (this.#state === 'over' || this.#failure !== null) return;
    this.#state = 'failed';
    this.#failure = cause;
    this.#pause();
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) sink.fail(cause);
  }

  take(chunk: Uint8Array): void {
    this.received += chunk.byteLength;
    if (this.#state === 'discarding') {
      this.#budget -= chunk.byteLength;
      if (this.#budget < 0) this.#request.socket.destroy();
      return;
    }
    const sink = this.#sink;
    if (sink === null) return;
    this.untouched = false;
    if (sink.data(chunk) || this.#sink === null) return;
    this.#pause();
  }

  ended(): void {
    if (this.#state === 'over') return;
    this.#state = 'over';
    const sink = this.#sink;
    this.#sink = null;
    if (sink !== null) sink.end(this.#request.rawTrailers.length === 0 ? null : this.#request.rawTrailers);
  }

  #flow(state: State): void {
    this.#state = state;
    this.#paused = false;
    if (!this.#listening) {
      this.#listening = true;
      this.#request.on('end', onEnd);
      this.#request.on('data', onData);
    }
    this.#request.resume();
  }

  #pause(): void {
    this.#paused = true;
    this.#request.pause();
  }

  readonly #resume = (): void => {
    if (this.#state !== 'flowing' || !this.#paused) return;
    this.#paused = false;
    this.#request.resume();
  };
}

function onData(this: Http1Request, chunk: Uint8Array): void {
  if (this.body !== null) this.body.take(chunk);
}

function onEnd(this: Http1Request): void {
  if (this.body !== null) this.body.ended();
}
