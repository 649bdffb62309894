import type { GatewayError } from '../../src/errors.ts';
import type { BodySink } from '../../src/exchange/body.ts';
import type { HeaderList } from '../../src/http/headers.ts';

/** Keeps what it gets. `takes`: how many chunks until it says that it wants no more for now. */
export class BufferSink implements BodySink {
  onDrain: (() => void) | null = null;
  ended = false;
  trailers: HeaderList | null = null;
  failure: GatewayError | null = null;
  readonly #takes: number;
  readonly #chunks: Uint8Array[] = [];
  #taken = 0;

  constructor({ takes = Number.POSITIVE_INFINITY }: { readonly takes?: number } = {}) {
    this.#takes = takes;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString('latin1');
  }

  data(chunk: Uint8Array): boolean {
    if (this.ended || this.failure !== null) throw new Error('Nothing may follow the end of a body');
    this.#chunks.push(chunk.slice());
    this.#taken += 1;
    return this.#taken < this.#takes;
  }

  end(trailers: HeaderList | null = null): void {
    this.ended = true;
    this.trailers = trailers;
  }

  fail(cause: GatewayError): void {
    this.failure = cause;
  }

  /** Takes as many chunks again. */
  drain(): void {
    this.#taken = 0;
    this.onDrain?.();
  }
}
