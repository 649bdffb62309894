import type { Readable } from 'node:stream';

/** The peer closed before the script had read what it wanted. */
export class PeerGone extends Error {}

/** Pull-style reading from a socket or stream: what the peer sends is kept until a step of a script asks for it. */
export class ByteReader {
  readonly #socket: Readable;
  #kept: Buffer = Buffer.alloc(0);
  #ended: boolean = false;
  #wake: (() => void) | null = null;

  constructor(socket: Readable) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
      // A peer that sends faster than the script reads is held back, like in a real server.
      if (this.#kept.length > 1 << 20) socket.pause();
      this.#wakeUp();
    });
    socket.on('end', () => this.#finish());
    socket.on('close', () => this.#finish());
  }

  /** The next `length` bytes. Rejects with `PeerGone` when the peer ends before. */
  async read(length: number): Promise<Buffer> {
    while (this.#kept.length < length) await this.#more();
    return this.#take(length);
  }

  /** Whatever is there, at least one byte; `null` at the end. */
  async some(): Promise<Buffer | null> {
    while (this.#kept.length === 0) {
      if (this.#ended) return null;
      await this.#changed();
    }
    return this.#take(this.#kept.length);
  }

  /** At least one byte and at most `length`. Rejects with `PeerGone` at the end. */
  async upTo(length: number): Promise<Buffer> {
    while (this.#kept.length === 0) await this.#more();
    return this.#take(Math.min(length, this.#kept.length));
  }

  /** Bytes up to and including `mark`. */
  async until(mark: string): Promise<Buffer> {
    for (;;) {
      const at = this.#kept.indexOf(mark);
      if (at !== -1) return this.#take(at + mark.length);
      await this.#more();
    }
  }

  /** Resolves when the peer has sent its end, dropping what comes before it. */
  async end(): Promise<void> {
    while ((await this.some()) !== null);
  }

  /** The peer has sent its end and everything before it was read. */
  get exhausted(): boolean {
    return this.#ended && this.#kept.length === 0;
  }

  #take(length: number): Buffer {
    const taken = this.#kept.subarray(0, length);
    this.#kept = this.#kept.subarray(length);
    this.#socket.resume();
    return taken;
  }

  async #more(): Promise<void> {
    if (this.#ended) throw new PeerGone('The peer closed in the middle of a step');
    await this.#changed();
  }

  #changed(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #finish(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  #wakeUp(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }
}
