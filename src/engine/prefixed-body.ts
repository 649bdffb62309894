import { clientGone, type GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';

/** How the source stands after its beginning was read. */
export interface RestOfBody {
  /** Its end was told: there is nothing more to come. */
  readonly ended: boolean;
  readonly trailers: HeaderList | null;
}

/**
 * A body whose beginning was read already: `prefix`, then what `source` still has, byte for byte; length, trailers and flow control are its own. As
 * with any source, nothing of it is used up before the first byte is handed on. `passed` is called once, when the prefix is not held
 * any more.
 */
export class PrefixedBody implements BodySource, BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  untouched = true;
  readonly #source: BodySource;
  readonly #passed: () => void;
  #prefix: Uint8Array | null;
  #ended: boolean;
  #trailers: HeaderList | null;
  #endTold = false;
  #failure: GatewayError | null = null;
  #into: BodySink | null = null;
  /** The source delivers to us. */
  #attached = false;

  constructor(prefix: Uint8Array, source: BodySource, rest: RestOfBody, passed: () => void) {
    this.#prefix = prefix.byteLength === 0 ? null : prefix;
    this.#source = source;
    this.#ended = rest.ended;
    this.#trailers = rest.trailers;
    this.#passed = passed;
    if (this.#prefix === null) passed();
  }

  get length(): number | null {
    return this.#source.length;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
      return;
    }
    // Nothing is left of it, as of any body that was handed on.
    if (this.#ended && this.#endTold && !this.untouched) return;
    this.#into = into;
    into.onDrain = this.#resume;
    this.#deliver(into);
  }

  unpipe(): void {
    this.#into = null;
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

  /** Nobody will want what is left: without its beginning, nobody gets the rest. Idempotent. */
  release(): void {
    if (this.#prefix === null) return;
    this.#failure ??= clientGone();
    this.#letGo();
  }

  // ---- what the source delivers

  data(chunk: Uint8Array): boolean {
    if (this.#into === null) return false;
    this.untouched = false;
    return this.#into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#ended = true;
    this.#trailers = trailers;
    this.#attached = false;
    if (this.#into !== null) this.#endInto(this.#into);
  }

  fail(cause: GatewayError): void {
    this.#failure = cause;
    this.#attached = false;
    const into = this.#into;
    this.#into = null;
    into?.fail(cause);
  }

  #deliver(into: BodySink): void {
    const prefix = this.#prefix;
    if (prefix !== null) {
      this.untouched = false;
      this.#letGo();
      if (!into.data(prefix) || this.#into !== into) return;
    }
    if (this.#ended) {
      this.#tellEnd(into);
      return;
    }
    this.#attached = true;
    this.#source.pipe(this);
  }

  /** A sink that gets all of a body in one call knows its length, and undici announces that: a chunked body stays chunked. */
  #tellEnd(into: BodySink): void {
    if (this.length !== null) {
      this.#endInto(into);
      return;
    }
    queueMicrotask(() => {
      if (this.#into === into) this.#endInto(into);
    });
  }

  #letGo(): void {
    this.#prefix = null;
    this.#passed();
  }

  #endInto(into: BodySink): void {
    this.#into = null;
    this.#endTold = true;
    into.end(this.#trailers);
  }

  /** The sink takes more. */
  readonly #resume = (): void => {
    if (this.#attached) this.onDrain?.();
    else if (this.#into !== null) this.#deliver(this.#into);
  };
}
