import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { ReplayMemory } from './replay-body.ts';

/** A body that comes in more pieces is not kept: what a piece costs besides its bytes would outweigh them. */
const MAX_CHUNKS = 256;

/** Hears once what became of the copy of a body, unless it was let go before. */
export interface CopyTaker {
  /** All of it is there. The chunks are the taker's until it calls `release`. */
  complete(chunks: readonly Uint8Array[]): void;
  lost(why: 'body-too-large' | 'body-memory' | 'body-incomplete'): void;
}

/**
 * `source` as it is, of which up to `limitBytes` are kept on the way. Back-pressure is that of whoever takes it; what is kept is
 * taken from `memory`, and is let go as soon as it can't become all of the body. Adds one test and one push to a chunk.
 */
export class CopiedBody implements BodySource, BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  readonly #source: BodySource;
  readonly #limitBytes: number;
  readonly #memory: ReplayMemory;
  readonly #taker: CopyTaker;
  #kept: Uint8Array[] | null = [];
  #keptBytes = 0;
  #ended = false;
  #into: BodySink | null = null;

  constructor(source: BodySource, limits: { readonly bytes: number; readonly memory: ReplayMemory }, taker: CopyTaker) {
    this.#source = source;
    this.#limitBytes = limits.bytes;
    this.#memory = limits.memory;
    this.#taker = taker;
  }

  get length(): number | null {
    return this.#source.length;
  }

  get untouched(): boolean {
    return this.#source.untouched;
  }

  pipe(into: BodySink): void {
    this.#into = into;
    into.onDrain = () => this.onDrain?.();
    this.#source.pipe(this);
  }

  unpipe(): void {
    this.#into = null;
    this.#source.unpipe();
  }

  discard(): void {
    this.#into = null;
    this.#lose('body-incomplete');
    this.#source.discard();
  }

  /** The copy is not wanted any more: what was kept is let go. Idempotent. */
  release(): void {
    if (this.#kept === null) return;
    this.#kept = null;
    this.#memory.giveBack(this.#keptBytes);
    this.#keptBytes = 0;
  }

  // ---- what the source delivers

  data(chunk: Uint8Array): boolean {
    if (this.#kept !== null) this.#keep(chunk, this.#kept);
    return this.#into === null ? false : this.#into.data(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#ended = true;
    const into = this.#into;
    this.#into = null;
    // The endpoint first: the copy has time.
    into?.end(trailers);
    if (this.#kept !== null) this.#taker.complete(this.#kept);
  }

  fail(cause: GatewayError): void {
    const into = this.#into;
    this.#into = null;
    this.#lose('body-incomplete');
    into?.fail(cause);
  }

  #keep(chunk: Uint8Array, kept: Uint8Array[]): void {
    const { byteLength } = chunk;
    if (this.#keptBytes + byteLength > this.#limitBytes || kept.length === MAX_CHUNKS) {
      this.#lose('body-too-large');
      return;
    }
    if (!this.#memory.take(byteLength)) {
      this.#lose('body-memory');
      return;
    }
    this.#keptBytes += byteLength;
    // A small piece of a large buffer would keep all of that.
    kept.push(chunk.buffer.byteLength > 2 * byteLength ? new Uint8Array(chunk) : chunk);
  }

  #lose(why: 'body-too-large' | 'body-memory' | 'body-incomplete'): void {
    if (this.#kept === null || this.#ended) return;
    this.release();
    this.#taker.lost(why);
  }
}

/** A body whose bytes are all there. Delivered once, as fast as it is taken. */
export function storedBody(chunks: readonly Uint8Array[]): BodySource {
  let length = 0;
  for (const chunk of chunks) length += chunk.byteLength;
  let next = 0;
  let into: BodySink | null = null;
  const deliver = (): void => {
    while (into !== null && next < chunks.length) {
      next += 1;
      if (!into.data(chunks[next - 1] as Uint8Array)) return;
    }
    const sink = into;
    into = null;
    sink?.end(null);
  };
  return {
    length,
    get untouched() {
      return next === 0;
    },
    pipe: (sink) => {
      into = sink;
      sink.onDrain = deliver;
      deliver();
    },
    unpipe: () => {
      into = null;
    },
    discard: () => {
      into = null;
    },
  };
}
