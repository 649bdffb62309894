import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import { KeptChunks, type ReplayMemory } from './kept-chunks.ts';

/**
 * `source`, of which the first `limitBytes` are kept while they are handed on: as long as all of it fits, each `pipe` begins
 * anew. Beyond that, and when `memory` has no room, what was kept is let go and the body is gone once it was sent. Back-pressure is
 * that of whoever takes it. Adds one test and one push to a chunk.
 */
export class ReplayBody implements BodySource, BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  readonly #source: BodySource;
  #kept: KeptChunks | null;
  #into: BodySink | null = null;
  /** Next of `#kept` for the sink. */
  #at = 0;
  /** The source delivers to us. */
  #attached = false;
  #ended = false;
  #delivered = false;
  #trailers: HeaderList | null = null;
  #failure: GatewayError | null = null;
  /** Nobody will want what is kept, once the sink has all of it. */
  #unwanted = false;

  constructor(source: BodySource, limitBytes: number, memory: ReplayMemory) {
    this.#source = source;
    this.#kept = new KeptChunks(limitBytes, memory);
  }

  get length(): number | null {
    return this.#source.length;
  }

  /** True as long as another `pipe` would get all of it. */
  get untouched(): boolean {
    return this.#kept !== null || this.#source.untouched;
  }

  /** All of it was handed to the sink of the last `pipe`. */
  get delivered(): boolean {
    return this.#delivered;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
      return;
    }
    this.#into = into;
    this.#at = 0;
    this.#delivered = false;
    into.onDrain = this.#resume;
    this.#replay(into);
  }

  unpipe(): void {
    this.#into = null;
    if (this.#unwanted) this.release();
    if (!this.#attached) return;
    this.#attached = false;
    this.#source.unpipe();
  }

  discard(): void {
    this.#into = null;
    this.#attached = false;
    this.release();
    this.#source.discard();
  }

  /** No other attempt will want it. Idempotent. */
  release(): void {
    this.#unwanted = true;
    // A sink that is still being given what was kept gets the rest of it.
    if (this.#kept === null || (this.#into !== null && !this.#attached)) return;
    this.#kept.release();
    this.#kept = null;
  }

  // ---- what the source delivers

  data(chunk: Uint8Array): boolean {
    const into = this.#into;
    if (into === null) return false;
    if (this.#kept !== null) this.#keep(chunk, this.#kept);
    return into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#ended = true;
    this.#attached = false;
    this.#trailers = trailers;
    if (this.#into !== null) this.#endInto(this.#into);
  }

  fail(cause: GatewayError): void {
    this.#failure = cause;
    this.#attached = false;
    const into = this.#into;
    this.#into = null;
    this.release();
    into?.fail(cause);
  }

  #keep(chunk: Uint8Array, kept: KeptChunks): void {
    if (kept.add(chunk) === null) this.#at = kept.list.length;
    else this.release();
  }

  #replay(into: BodySink): void {
    const kept = this.#kept;
    while (kept !== null && this.#at < kept.list.length) {
      const chunk = kept.list[this.#at] as Uint8Array;
      this.#at += 1;
      if (!into.data(chunk) || this.#into !== into) return;
    }
    if (this.#ended) {
      this.#endInto(into);
      return;
    }
    this.#attached = true;
    if (this.#unwanted) this.release();
    this.#source.pipe(this);
  }

  #endInto(into: BodySink): void {
    this.#into = null;
    this.#delivered = true;
    if (this.#unwanted) this.release();
    into.end(this.#trailers);
  }

  /** The sink takes more. */
  readonly #resume = (): void => {
    if (this.#attached) this.onDrain?.();
    else if (this.#into !== null) this.#replay(this.#into);
  };
}
