import { badRequest, type GatewayError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../exchange/body.ts';
import type { HeaderList } from '../../http/headers.ts';
import { alteredTrailers } from '../representation.ts';
import type { Decoder } from './decoder.ts';

/** How large what is decoded may become. */
export interface DecodeLimits {
  /** Of the decoded body, and of what it is decoded from: it never needs to be larger. */
  readonly bytes: number;
  /** Decoded octets for each that came, once there are `RATIO_FROM_BYTES`. */
  readonly ratio: number;
}

/** What is so small decoded is no bomb, however little it came as. */
const RATIO_FROM_BYTES = 256 * 1024;

/**
 * The body of a request without its content coding. Decoded in the thread pool as fast as it is taken: besides the decoder’s own window it holds
 * 64 KiB of what was decoded and 16 KiB and one piece of what came. What is too large decoded is cut off with 413 `decompressed-too-large`, what is
 * not what it says with 400 `body-encoding-malformed`; trailers pass, but for digests of what came. To be stopped when its exchange is over.
 */
export class DecodedBody implements BodySource, BodySink {
  /** Set by the source. */
  onDrain: (() => void) | null = null;
  readonly length = null;
  readonly #source: BodySource;
  readonly #create: () => Decoder;
  readonly #limits: DecodeLimits;
  /** `null` until somebody wants the body. */
  #decoder: Decoder | null = null;
  #into: BodySink | null = null;
  #untouched = true;
  #cameBytes = 0;
  #madeBytes = 0;
  /** The source has ended. */
  #complete = false;
  /** And so has the decoder. */
  #finished = false;
  #trailers: HeaderList | null = null;
  #failure: GatewayError | null = null;
  #stopped = false;

  constructor(source: BodySource, create: () => Decoder, limits: DecodeLimits) {
    this.#source = source;
    this.#create = create;
    this.#limits = limits;
  }

  get untouched(): boolean {
    return this.#untouched && this.#failure === null;
  }

  pipe(into: BodySink): void {
    if (this.#failure !== null) {
      into.fail(this.#failure);
      return;
    }
    this.#into = into;
    const resume = (): void => this.#resume();
    into.onDrain = resume;
    if (this.#decoder === null) this.#begin();
    else if (this.#finished) this.#endInto(into);
    else this.#decoder.resume();
  }

  unpipe(): void {
    this.#into = null;
    this.#decoder?.pause();
  }

  discard(): void {
    this.stop();
    this.#source.discard();
  }

  /** Nobody wants it any more. Idempotent. */
  stop(): void {
    this.#stopped = true;
    this.#into = null;
    this.#decoder?.destroy();
  }

  // ---- what the source delivers

  data(chunk: Uint8Array): boolean {
    if (this.#isOver || this.#decoder === null) return true;
    this.#cameBytes += chunk.byteLength;
    if (this.#cameBytes > this.#limits.bytes) {
      this.#refuse(badRequest('decompressed-too-large', 413));
      return true;
    }
    return this.#decoder.write(chunk);
  }

  end(trailers: HeaderList | null): void {
    this.#complete = true;
    this.#trailers = alteredTrailers(trailers);
    if (!this.#isOver) this.#decoder?.end();
  }

  fail(cause: GatewayError): void {
    if (!this.#isOver) this.#lose(cause);
  }

  // ---- what the decoder makes

  #begin(): void {
    const decoder = this.#create();
    this.#decoder = decoder;
    decoder.on('error', () => {
      if (!this.#isOver) this.#refuse(malformed());
    });
    decoder.on('data', (made: Uint8Array) => this.#made(made));
    decoder.on('drain', () => this.onDrain?.());
    decoder.on('end', () => this.#ended());
    this.#source.pipe(this);
  }

  #made(chunk: Uint8Array): void {
    const into = this.#into;
    if (this.#isOver || into === null) return;
    this.#madeBytes += chunk.byteLength;
    if (this.#isBomb) {
      this.#refuse(badRequest('decompressed-too-large', 413));
      return;
    }
    this.#untouched = false;
    if (!into.data(chunk)) this.#decoder?.pause();
  }

  get #isBomb(): boolean {
    const { bytes, ratio } = this.#limits;
    if (this.#madeBytes > bytes) return true;
    return this.#madeBytes > RATIO_FROM_BYTES && this.#madeBytes > ratio * this.#cameBytes;
  }

  /** The decoder has seen the end of what it decodes: that must be the end of what came, too. */
  #ended(): void {
    if (this.#isOver) return;
    if (!this.#complete || (this.#decoder?.bytesWritten ?? 0) !== this.#cameBytes) {
      this.#refuse(malformed());
      return;
    }
    this.#finished = true;
    if (this.#into !== null) this.#endInto(this.#into);
  }

  #endInto(into: BodySink): void {
    this.#into = null;
    into.end(this.#trailers);
  }

  #resume(): void {
    if (this.#into !== null && !this.#isOver) this.#decoder?.resume();
  }

  get #isOver(): boolean {
    return this.#stopped || this.#failure !== null;
  }

  /** What was not read stays unread, as after any refusal. */
  #refuse(cause: GatewayError): void {
    if (!this.#complete) this.#source.unpipe();
    this.#lose(cause);
  }

  #lose(cause: GatewayError): void {
    const into = this.#into;
    this.#failure = cause;
    this.#into = null;
    this.#decoder?.destroy();
    into?.fail(cause);
  }
}

function malformed(): GatewayError {
  return badRequest('body-encoding-malformed');
}
