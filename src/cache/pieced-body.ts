import type { GatewayError } from '../errors.ts';
import type { BodySink, BodySource } from '../exchange/body.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/** A stretch of another body, of known length. */
export interface Piece {
  readonly body: StoredBody;
  readonly span: ByteSpan;
}

/** A body made of stretches of others, one after the other, without a copy of any. */
export class PiecedBody implements StoredBody {
  readonly length: number;
  readonly chunks = null;
  /** What it is made of is accounted where it is. */
  readonly heldBytes = 0;
  readonly #pieces: readonly Piece[];

  constructor(pieces: readonly Piece[]) {
    let length = 0;
    for (const { span } of pieces) length += span.to - span.from;
    this.length = length;
    this.#pieces = pieces;
  }

  read(span: ByteSpan | null): BodySource {
    if (span === null) return new PiecesReader(this.#pieces, this.length);
    return new PiecesReader(within(this.#pieces, span), span.to - span.from);
  }
}

/** What of `pieces` lies in `span` of the whole. */
function within(pieces: readonly Piece[], span: ByteSpan): readonly Piece[] {
  const meant: Piece[] = [];
  let at = 0;
  for (const { body, span: own } of pieces) {
    // The same bytes, as `body` counts them.
    const from = Math.max(own.from, own.from + span.from - at);
    const to = Math.min(own.to, own.from + span.to - at);
    if (from < to) meant.push({ body, span: { from, to } });
    at += own.to - own.from;
  }
  return meant;
}

/**
 * Pours one piece after the other into one sink. Readers of all pieces are taken at once: one that is still arriving keeps what is
 * not read yet. A piece that fails, fails the whole.
 */
class PiecesReader implements BodySource {
  readonly length: number;
  readonly #sources: readonly BodySource[];
  #next = 0;
  #sink: BodySink | null = null;

  constructor(pieces: readonly Piece[], length: number) {
    this.#sources = pieces.map(({ body, span }) => body.read(span));
    this.length = length;
  }

  get untouched(): boolean {
    return this.#sources.every((source) => source.untouched);
  }

  pipe(into: BodySink): void {
    this.#sink = into;
    this.#pour();
  }

  unpipe(): void {
    this.#sink = null;
    this.#sources[this.#next]?.unpipe();
  }

  discard(): void {
    this.#sink = null;
    this.#letGo(this.#next);
  }

  #letGo(from: number): void {
    for (let i = from; i < this.#sources.length; i += 1) this.#sources[i]?.discard();
  }

  #pour(): void {
    const sink = this.#sink;
    const source = this.#sources[this.#next];
    if (sink === null) return;
    if (source === undefined) {
      this.#sink = null;
      sink.end(null);
      return;
    }
    source.pipe(new PieceSink(sink, (cause) => this.#pieceOver(cause)));
  }

  #pieceOver(cause: GatewayError | null): void {
    this.#next += 1;
    if (cause === null) {
      this.#pour();
      return;
    }
    const sink = this.#sink;
    this.discard();
    sink?.fail(cause);
  }
}

/** The sink of the whole, as one piece sees it: the end of a piece is no end. */
class PieceSink implements BodySink {
  readonly #sink: BodySink;
  readonly #over: (cause: GatewayError | null) => void;

  constructor(sink: BodySink, over: (cause: GatewayError | null) => void) {
    this.#sink = sink;
    this.#over = over;
  }

  get onDrain(): (() => void) | null {
    return this.#sink.onDrain;
  }

  set onDrain(resume: (() => void) | null) {
    this.#sink.onDrain = resume;
  }

  data(chunk: Uint8Array): boolean {
    return this.#sink.data(chunk);
  }

  end(): void {
    this.#over(null);
  }

  fail(cause: GatewayError): void {
    this.#over(cause);
  }
}
