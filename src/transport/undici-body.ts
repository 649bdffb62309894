import { Readable } from 'node:stream';
import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';

/** Bytes that wait here when the socket is full, beyond what one chunk brings. */
const BUFFER_BYTES = 64 * 1024;

export interface BodyOwner {
  /** The body stops before its end: its sender broke it off, or it is not what was announced. */
  bodyFailed(cause: Error): void;
  /** undici wants the body, and its sender has nothing of it yet. */
  bodyWaits(): void;
}

/**
 * A `BodySource` as the stream that undici wants. The source is asked for nothing before undici reads, which it does only once
 * it writes the request: until then the body stays untouched and may go elsewhere. Trailers are dropped: undici can't send any
 * (RFC 9110 §6.5 lets an intermediary do so). undici sends the head together with the first byte of the body: see
 * `early-head.ts`.
 */
export class RequestBody extends Readable implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #source: BodySource;
  readonly #owner: BodyOwner;
  #piped = false;
  /** A byte, or the end, has come. */
  #begun = false;
  /** The source holds us as its sink. */
  #attached = false;
  #full = false;
  #detached = false;

  constructor(source: BodySource, owner: BodyOwner) {
    super({ highWaterMark: BUFFER_BYTES });
    this.#source = source;
    this.#owner = owner;
  }

  data(chunk: Uint8Array): boolean {
    this.#begun = true;
    if (this.#detached || this.push(chunk)) return true;
    this.#full = true;
    return false;
  }

  end(): void {
    this.#begun = true;
    this.#attached = false;
    if (!this.#detached) this.push(null);
  }

  fail(cause: GatewayError): void {
    this.#attached = false;
    if (!this.#detached) this.#owner.bodyFailed(cause);
  }

  /** Takes nothing more from the source. Must be called before anybody else pipes it: it would take the sink off again. */
  detach(): void {
    if (this.#detached) return;
    this.#detached = true;
    if (this.#attached) this.#source.unpipe();
  }

  lookWhetherBegun(): void {
    if (!this.#begun && !this.#detached) this.#owner.bodyWaits();
  }

  override _read(): void {
    if (this.#detached) return;
    if (!this.#piped) {
      this.#piped = true;
      this.#attached = true;
      this.#source.pipe(this);
      // What was received with the head comes within this turn of the event loop.
      if (!this.#begun) setImmediate(lookWhetherBegun, this);
      return;
    }
    if (!this.#full) return;
    this.#full = false;
    this.onDrain?.();
  }

  /** The error is the owner's to report: an 'error' event here would find no listener, and end the process. */
  override _destroy(error: Error | null, callback: (error?: Error | null) => void): void {
    if (error !== null && !this.#detached) this.#owner.bodyFailed(error);
    this.detach();
    callback(null);
  }
}

function lookWhetherBegun(body: RequestBody): void {
  body.lookWhetherBegun();
}
