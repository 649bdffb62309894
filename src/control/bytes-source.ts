import type { BodySink, BodySource } from '../exchange/body.ts';

/** A body that is there already, in one piece. */
export class BytesSource implements BodySource {
  readonly length: number;
  untouched = true;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.length = bytes.byteLength;
  }

  pipe(into: BodySink): void {
    if (this.untouched && this.length > 0) into.data(this.#bytes);
    this.untouched = false;
    into.end(null);
  }

  unpipe(): void {}
  discard(): void {}
}
