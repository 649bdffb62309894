/** A body that comes in more pieces is not kept: what a piece costs besides its bytes would outweigh them. */
const MAX_CHUNKS = 256;

/** Bytes of request bodies that may be kept for another attempt or another pool, all exchanges together. */
export class ReplayMemory {
  #left: number;

  constructor(bytes: number) {
    this.#left = bytes;
  }

  /** Not kept by anybody. */
  get leftBytes(): number {
    return this.#left;
  }

  take(bytes: number): boolean {
    if (bytes > this.#left) return false;
    this.#left -= bytes;
    return true;
  }

  giveBack(bytes: number): void {
    this.#left += bytes;
  }
}

/** Why a body can't be kept. */
export type NotKept = 'body-too-large' | 'body-memory';

/** The pieces of one body, up to `limitBytes`, as long as `memory` has room for them. */
export class KeptChunks {
  readonly list: Uint8Array[] = [];
  readonly #limitBytes: number;
  readonly #memory: ReplayMemory;
  #bytes = 0;

  constructor(limitBytes: number, memory: ReplayMemory) {
    this.#limitBytes = limitBytes;
    this.#memory = memory;
  }

  /** `null`: it is kept. */
  add(chunk: Uint8Array): NotKept | null {
    const { byteLength } = chunk;
    if (this.#bytes + byteLength > this.#limitBytes || this.list.length === MAX_CHUNKS) return 'body-too-large';
    if (!this.#memory.take(byteLength)) return 'body-memory';
    this.#bytes += byteLength;
    // A small piece of a large buffer would keep all of that.
    this.list.push(chunk.buffer.byteLength > 2 * byteLength ? new Uint8Array(chunk) : chunk);
    return null;
  }

  /** Gives the memory back; to be called once, when nobody looks at `list` any more. */
  release(): void {
    this.#memory.giveBack(this.#bytes);
    this.#bytes = 0;
  }
}
