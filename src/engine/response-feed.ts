import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import { fail } from './fail.ts';
import type { Progress } from './progress.ts';

/** Sends a body that comes from the cache as the response's, whose head is out. A body that is cut short is the exchange's failure. */
export class ResponseFeed implements BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  readonly #progress: Progress;
  readonly #source: BodySource;
  #over = false;

  constructor(progress: Progress, source: BodySource) {
    this.#progress = progress;
    this.#source = source;
  }

  /** The response has all of it, or never will. */
  get isOver(): boolean {
    return this.#over;
  }

  /** The client's protocol may have had no way to say the head; then nobody is there to take a body. */
  begin(): void {
    const { response } = this.#progress.exchange;
    if (response.phase !== 'started') {
      this.#source.discard();
      return;
    }
    const drained = (): void => this.onDrain?.();
    response.onDrain = drained;
    this.#source.pipe(this);
  }

  /** The client takes no more. Idempotent. */
  stop(): void {
    this.#over = true;
    this.#source.discard();
  }

  data(chunk: Uint8Array): boolean {
    return this.#progress.exchange.response.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#over = true;
    this.#progress.exchange.response.end(trailers);
  }

  fail(cause: GatewayError): void {
    this.#over = true;
    fail(this.#progress, cause);
  }
}
