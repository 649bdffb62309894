import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { ByteSpan } from './stored-body.ts';

/** What a reader sees of a growing body. Segments are numbered from 0 and keep their number. */
export interface GrowingSegments {
  readonly length: number | null;
  /** Nothing more will come. */
  readonly isComplete: boolean;
  readonly trailers: HeaderList | null;
  /** `null` where there is none yet. */
  segment(number: number): Uint8Array | null;
  /** Bytes that there are of a segment. All of them but for the last one. */
  filled(number: number): number;
  /** A reader can take more, or has taken what it was behind with. */
  advanced(): void;
  left(reader: GrowingReader): void;
}

/**
 * One reader of a body that is still arriving. Either its sink takes no more, or it has all that there is and gets what comes as it
 * comes. Slices of the segments, or the feeder's own chunk: nothing is copied for a reader.
 */
export class GrowingReader implements BodySource {
  readonly length: number | null;
  readonly #body: GrowingSegments;
  readonly #to: number;
  /** The next byte to hand on, counted from the beginning of the body. */
  #at: number;
  /** The segment that the byte is in, and where that begins. */
  #segment = 0;
  #segmentAt = 0;
  #sink: BodySink | null = null;
  #blocked = true;
  #untouched = true;
  #failure: GatewayError | null = null;

  constructor(body: GrowingSegments, span: ByteSpan | null) {
    this.#body = body;
    this.#at = span === null ? 0 : span.from;
    this.#to = span === null ? Number.POSITIVE_INFINITY : span.to;
    this.length = span === null ? body.length : span.to - span.from;
  }

  get untouched(): boolean {
    return this.#untouched;
  }

  /** Its sink takes no more for now, or there is none yet. */
  get isBlocked(): boolean {
    return this.#blocked;
  }

  /** The first segment that it may still want. */
  get nextSegment(): number {
    return this.#segment;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
      return;
    }
    this.#sink = into;
    const pour = (): void => this.#pour();
    into.onDrain = pour;
    this.#pour();
  }

  unpipe(): void {
    this.#sink = null;
    this.#blocked = true;
  }

  discard(): void {
    this.unpipe();
    this.#body.left(this);
  }

  // ---- what the body tells

  /** `chunk` was appended, and begins at `offset`. Hot. */
  came(chunk: Uint8Array, offset: number): void {
    if (this.#blocked) return;
    const from = Math.max(this.#at - offset, 0);
    const to = Math.min(chunk.byteLength, this.#to - offset);
    if (from < to) this.#give(from === 0 && to === chunk.byteLength ? chunk : chunk.subarray(from, to));
    this.#findSegment();
    if (!this.#blocked && this.#at >= this.#to) this.#end();
  }

  bodyEnded(): void {
    if (!this.#blocked) this.#pour();
  }

  bodyFailed(cause: GatewayError): void {
    this.#failure = cause;
    const sink = this.#sink;
    this.unpipe();
    sink?.fail(cause);
  }

  /** Whoever leaves while we write unpipes, so the sink is asked for each time. */
  #pour(): void {
    if (this.#sink === null) return;
    this.#blocked = false;
    while (!this.#blocked) {
      if (this.#at >= this.#to) {
        this.#end();
        return;
      }
      const segment = this.#findSegment();
      if (segment === null) {
        if (this.#body.isComplete) {
          this.#end();
          return;
        }
        break;
      }
      const from = this.#at - this.#segmentAt;
      const to = Math.min(this.#body.filled(this.#segment), this.#to - this.#segmentAt);
      this.#give(from === 0 && to === segment.byteLength ? segment : segment.subarray(from, to));
      this.#findSegment();
    }
    this.#body.advanced();
  }

  #give(part: Uint8Array): void {
    this.#untouched = false;
    this.#at += part.byteLength;
    if (this.#sink !== null && !this.#sink.data(part)) this.#blocked = true;
  }

  /** Goes on to the segment with the next byte, and returns it; `null` while that byte is not there. */
  #findSegment(): Uint8Array | null {
    for (;;) {
      const segment = this.#body.segment(this.#segment);
      if (segment === null) return null;
      const filled = this.#body.filled(this.#segment);
      if (this.#at < this.#segmentAt + filled) return segment;
      if (filled < segment.byteLength) return null;
      this.#segmentAt += segment.byteLength;
      this.#segment += 1;
    }
  }

  #end(): void {
    const sink = this.#sink;
    this.unpipe();
    sink?.end(this.#to === Number.POSITIVE_INFINITY ? this.#body.trailers : null);
    this.#body.left(this);
  }
}
