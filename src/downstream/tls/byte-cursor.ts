/**
 * Reads the vectors of RFC 8446 §3.4 out of `bytes`, which it never copies. A read beyond the end returns zero or an empty
 * vector and sets `broken`, for good.
 */
export class ByteCursor {
  broken = false;
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  /** Bytes that were not read yet. */
  get left(): number {
    return this.#bytes.length - this.#at;
  }

  uint8(): number {
    return this.#number(1);
  }

  uint16(): number {
    return this.#number(2);
  }

  skip(length: number): void {
    this.#take(length);
  }

  /** A vector whose length stands before it in one byte. */
  vector8(): ByteCursor {
    return new ByteCursor(this.#take(this.uint8()));
  }

  /** A vector whose length stands before it in two bytes. */
  vector16(): ByteCursor {
    return new ByteCursor(this.#take(this.uint16()));
  }

  /** Everything that is left, one character a byte. */
  text(): string {
    return Buffer.from(this.#take(this.left)).toString('latin1');
  }

  #number(length: number): number {
    const bytes = this.#take(length);
    let value = 0;
    for (const byte of bytes) value = value * 256 + byte;
    return value;
  }

  #take(length: number): Uint8Array {
    if (length > this.left) {
      this.broken = true;
      return this.#bytes.subarray(0, 0);
    }
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }
}
