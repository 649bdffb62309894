import { badRequest, type GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';

/** Does the sender announce more than `limitBytes`? Then the request is refused before it costs an upload. */
export function announcedTooLarge(source: BodySource, limitBytes: number): boolean {
  return source.length !== null && source.length > limitBytes;
}

/**
 * `source`, cut off where it grows beyond `limitBytes`: not one byte of the chunk that crosses the limit is passed on.
 * `exceeded` hears the cause first, so that its caller knows it before the sink's `fail` sets things in motion; both
 * get the same error, 413 `body-too-large`. What was not read stays unread: discard or close as after any refusal.
 */
export function limitBody(source: BodySource, limitBytes: number, exceeded: (cause: GatewayError) => void): BodySource {
  return new LimitedBody(source, limitBytes, exceeded);
}

/** A source to the sink behind it, and the sink of the source before it. Adds one addition and one test to a chunk. */
class LimitedBody implements BodySource, BodySink {
  readonly #source: BodySource;
  readonly #limitBytes: number;
  readonly #exceeded: (cause: GatewayError) => void;
  #into: BodySink | null = null;
  #receivedBytes = 0;
  #cause: GatewayError | null = null;

  constructor(source: BodySource, limitBytes: number, exceeded: (cause: GatewayError) => void) {
    this.#source = source;
    this.#limitBytes = limitBytes;
    this.#exceeded = exceeded;
  }

  get length(): number | null {
    return this.#source.length;
  }

  get untouched(): boolean {
    return this.#source.untouched;
  }

  pipe(into: BodySink): void {
    if (this.#cause !== null) {
      into.fail(this.#cause);
      return;
    }
    this.#into = into;
    this.#source.pipe(this);
  }

  unpipe(): void {
    this.#into = null;
    this.#source.unpipe();
  }

  discard(): void {
    this.#into = null;
    this.#source.discard();
  }

  // The feeder's and the sink's flow control meet directly: nothing is held back here.
  get onDrain(): (() => void) | null {
    return this.#into === null ? null : this.#into.onDrain;
  }

  set onDrain(resume: (() => void) | null) {
    if (this.#into !== null) this.#into.onDrain = resume;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#into === null) return false;
    this.#receivedBytes += chunk.byteLength;
    if (this.#receivedBytes <= this.#limitBytes) return this.#into.data(chunk);
    this.#cutOff(this.#into);
    return false;
  }

  end(trailers: Parameters<BodySink['end']>[0]): void {
    this.#into?.end(trailers);
  }

  fail(cause: GatewayError): void {
    this.#into?.fail(cause);
  }

  #cutOff(into: BodySink): void {
    const cause = badRequest('body-too-large', 413);
    this.#cause = cause;
    this.unpipe();
    this.#exceeded(cause);
    into.fail(cause);
  }
}
