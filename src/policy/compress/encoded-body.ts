import { Buffer } from 'node:buffer';
import { GatewayError } from '../../errors.ts';
import type { BodySink } from '../../exchange/body.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { BodyFilter } from '../body-transform.ts';
import type { CodingPlan, Encoder } from './coding.ts';

/**
 * A body up to here that is complete within a turn of the event loop is encoded in one go, which at this size takes as long as the stream of
 * its own that it saves (docs/compression.md).
 */
export const ONE_GO_BYTES = 16 * 1024;

/**
 * A body on its way through an encoder. Pieces are encoded in the thread pool, in order. What has come is let out when the body pauses: when
 * all of it is encoded and nothing more came within a turn of the event loop. Holds at most 128 KiB and a piece of what came, 64 KiB of what
 * was made, and the encoder’s own memory (docs/compression.md). `over` is called exactly once.
 */
export class EncodedBody implements BodyFilter {
  onDrain: (() => void) | null = null;
  readonly #into: BodySink;
  readonly #plan: CodingPlan;
  readonly #over: () => void;
  /** `null` until it turns out that the body is not small, or pauses. */
  #encoder: Encoder | null = null;
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  /** Pieces that the encoder has not got through. */
  #writing = 0;
  #look: NodeJS.Immediate | null = null;
  #trailers: HeaderList | null = null;
  #ended = false;
  #isOver = false;

  constructor(into: BodySink, plan: CodingPlan, over: () => void) {
    this.#into = into;
    this.#plan = plan;
    this.#over = over;
    const drained = (): void => this.#drained();
    into.onDrain = drained;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    if (this.#encoder !== null) return this.#write(this.#encoder, chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.byteLength;
    if (this.#heldBytes > ONE_GO_BYTES) return this.#begin();
    this.#lookSoon();
    return true;
  }

  end(trailers: HeaderList | null): void {
    if (this.#isOver || this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    this.#stopLooking();
    if (this.#encoder === null) this.#inOneGo();
    else this.#encoder.end();
  }

  fail(cause: GatewayError): void {
    if (this.#isOver) return;
    this.stop();
    this.#into.fail(cause);
  }

  stop(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#stopLooking();
    this.#held = [];
    // It may be at work in another thread: it is closed when that is done.
    this.#encoder?.destroy();
    this.#over();
  }

  #inOneGo(): void {
    let encoded: Uint8Array;
    try {
      encoded = this.#plan.encode(joined(this.#held, this.#heldBytes));
    } catch (error) {
      this.fail(broken(error));
      return;
    }
    const trailers = this.#trailers;
    this.stop();
    this.#into.data(encoded);
    this.#into.end(trailers);
  }

  #begin(): boolean {
    let encoder: Encoder;
    try {
      encoder = this.#plan.create();
    } catch (error) {
      this.fail(broken(error));
      return true;
    }
    this.#encoder = encoder;
    encoder.on('error', (error) => this.fail(broken(error)));
    encoder.on('data', (made: Uint8Array) => {
      if (!this.#isOver && !this.#into.data(made)) encoder.pause();
    });
    encoder.on('drain', () => this.onDrain?.());
    encoder.on('end', () => this.#finished());
    const held = this.#held;
    this.#held = [];
    let more = true;
    for (const chunk of held) more = this.#write(encoder, chunk);
    return more;
  }

  #write(encoder: Encoder, chunk: Uint8Array): boolean {
    this.#writing += 1;
    return encoder.write(chunk, () => {
      this.#writing -= 1;
      if (this.#writing === 0) this.#lookSoon();
    });
  }

  /** What the socket holds already comes within this turn of the event loop; after it, the body pauses. */
  #lookSoon(): void {
    if (this.#look === null && !this.#ended && !this.#isOver) this.#look = setImmediate(() => this.#paused());
  }

  #paused(): void {
    this.#look = null;
    if (this.#encoder === null) this.#begin();
    else if (this.#writing === 0) this.#encoder.flush(this.#plan.flush, () => {});
  }

  #stopLooking(): void {
    if (this.#look !== null) clearImmediate(this.#look);
    this.#look = null;
  }

  #drained(): void {
    if (!this.#isOver) this.#encoder?.resume();
  }

  #finished(): void {
    if (this.#isOver) return;
    const trailers = this.#trailers;
    this.stop();
    this.#into.end(trailers);
  }
}

function joined(chunks: readonly Uint8Array[], bytes: number): Uint8Array {
  const [only] = chunks;
  return chunks.length === 1 && only !== undefined ? only : Buffer.concat(chunks, bytes);
}

function broken(cause: unknown): GatewayError {
  const reason = 'compression-failed';
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 500, reason, cause });
}
