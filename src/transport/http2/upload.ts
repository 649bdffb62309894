import type { ClientHttp2Stream } from 'node:http2';
import type { GatewayError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../exchange/body.ts';
import type { HeaderList } from '../../http/headers.ts';
import { fieldObject } from '../../http/http2-fields.ts';

export interface UploadOwner {
  /** The last byte was given to the stream. */
  uploaded(): void;
  /** The body stops before its end: its sender broke it off. */
  uploadFailed(cause: GatewayError): void;
}

/** A request body on its way into a stream, with back-pressure and trailers. */
export class Upload implements BodySink {
  onDrain: (() => void) | null = null;
  /** Chunks written so far. */
  written = 0;
  readonly #stream: ClientHttp2Stream;
  readonly #source: BodySource;
  readonly #owner: UploadOwner;
  #state: 'flowing' | 'ended' | 'detached' = 'flowing';

  constructor(stream: ClientHttp2Stream, source: BodySource, owner: UploadOwner) {
    this.#stream = stream;
    this.#source = source;
    this.#owner = owner;
    stream.on('drain', () => {
      if (this.#state === 'flowing') this.onDrain?.();
    });
  }

  /** The endpoint takes nothing more for now. */
  get isBlocked(): boolean {
    return this.#stream.writableNeedDrain;
  }

  start(): void {
    this.#source.pipe(this);
  }

  /** Takes nothing more from the source. */
  detach(): void {
    if (this.#state === 'flowing') this.#source.unpipe();
    this.#state = 'detached';
  }

  data(chunk: Uint8Array): boolean {
    // What ended the stream reports itself.
    if (this.#state !== 'flowing' || this.#stream.destroyed || this.#stream.closed) return true;
    this.written += 1;
    return this.#stream.write(chunk);
  }

  end(trailers: HeaderList | null): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'ended';
    const fields = trailers === null ? null : fieldObject(trailers);
    this.#stream.on('wantTrailers', () => this.#sendTrailers(fields ?? {}));
    this.#stream.end();
    this.#owner.uploaded();
  }

  fail(cause: GatewayError): void {
    if (this.#state !== 'flowing') return;
    this.#state = 'ended';
    this.#owner.uploadFailed(cause);
  }

  #sendTrailers(fields: Record<string, string[]>): void {
    try {
      this.#stream.sendTrailers(fields);
    } catch {
      // ERR_HTTP2_INVALID_STREAM: it vanished in this moment; or a field that Node refuses, and the body is whole without.
      if (!this.#stream.destroyed && !this.#stream.closed) this.#stream.sendTrailers({});
    }
  }
}
