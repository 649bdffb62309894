import type { BodySink, BodySource } from '../exchange/body.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/**
 * What a chunk costs beyond its bytes, measured on Node 26 (node --expose-gc bench/cache.ts --memory) and rounded up: a view of
 * 206 bytes on the heap, and a backing store that shows in the resident size only.
 */
export const CHUNK_BYTES = 448;

/** A complete body in memory of its own. */
export class MemoryBody implements StoredBody {
  readonly length: number;
  readonly chunks: readonly Uint8Array[];

  /** `chunks`: in order, not empty ones, shared with nobody. */
  constructor(chunks: readonly Uint8Array[]) {
    let length = 0;
    for (const chunk of chunks) length += chunk.byteLength;
    this.length = length;
    this.chunks = chunks;
  }

  get heldBytes(): number {
    return this.length + this.chunks.length * CHUNK_BYTES;
  }

  read(span: ByteSpan | null): BodySource {
    return new ChunkReader(this.chunks, span ?? { from: 0, to: this.length });
  }
}

/** Hands on chunks that are there as fast as they are taken. */
class ChunkReader implements BodySource {
  readonly length: number;
  readonly #chunks: readonly Uint8Array[];
  readonly #span: ByteSpan;
  #next = 0;
  /** Where the next chunk begins. */
  #offset = 0;
  #sink: BodySink | null = null;

  constructor(chunks: readonly Uint8Array[], span: ByteSpan) {
    this.#chunks = chunks;
    this.#span = span;
    this.length = span.to - span.from;
  }

  get untouched(): boolean {
    return this.#next === 0;
  }

  pipe(into: BodySink): void {
    this.#sink = into;
    const pour = (): void => this.#pour();
    into.onDrain = pour;
    this.#pour();
  }

  unpipe(): void {
    this.#sink = null;
  }

  discard(): void {
    this.#sink = null;
  }

  /** Hot for bodies of more than a chunk. Whoever leaves while we write unpipes, so the sink is asked for each time. */
  #pour(): void {
    while (this.#sink !== null && this.#next < this.#chunks.length && this.#offset < this.#span.to) {
      const chunk = this.#chunks[this.#next] as Uint8Array;
      const from = Math.max(0, this.#span.from - this.#offset);
      const to = Math.min(chunk.byteLength, this.#span.to - this.#offset);
      this.#next += 1;
      this.#offset += chunk.byteLength;
      if (from >= to) continue;
      const part = from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to);
      if (!this.#sink.data(part)) return;
    }
    const sink = this.#sink;
    this.#sink = null;
    sink?.end(null);
  }
}
