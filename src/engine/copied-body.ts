import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import { KeptChunks, type NotKept, type ReplayMemory } from './kept-chunks.ts';

/** Hears once what became of the copy of a body, unless it was let go before. */
export interface CopyTaker {
  /** All of it is there. The chunks are the taker's until it calls `release`. */
  complete(chunks: readonly Uint8Array[]): void;
  lost(why: NotKept | 'body-incomplete'): void;
}

/**
 * `source` as it is, of which up to `limitBytes` are kept on the way. Back-pressure is that of whoever takes it; what is kept is
 * taken from `memory`, and is let go as soon as it can't become all of the body. Adds one test and one push to a chunk.
 */
export class CopiedBody implements BodySource, BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  readonly #source: BodySource;
  readonly #taker: CopyTaker;
  #kept: KeptChunks | null;
  #ended = false;
  #into: BodySink | null = null;

  constructor(source: BodySource, limits: { readonly bytes: number; readonly memory: ReplayMemory }, taker: CopyTaker) {
    this.#source = source;
    this.#taker = taker;
    this.#kept = new KeptChunks(limits.bytes, limits.memory);
  }

  get length(): number | null {
    return this.#source.length;
  }

  get untouched(): boolean {
    return this.#source.untouched;
  }

  pipe(into: BodySink): void {
    this.#into = into;
    const drained = (): void => this.onDrain?.();
    into.onDrain = drained;
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
    this.#kept?.release();
    this.#kept = null;
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
    if (this.#kept !== null) this.#taker.complete(this.#kept.list);
  }

  fail(cause: GatewayError): void {
    const into = this.#into;
    this.#into = null;
    this.#lose('body-incomplete');
    into?.fail(cause);
  }

  #keep(chunk: Uint8Array, kept: KeptChunks): void {
    const why = kept.add(chunk);
    if (why !== null) this.#lose(why);
  }

  #lose(why: NotKept | 'body-incomplete'): void {
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
