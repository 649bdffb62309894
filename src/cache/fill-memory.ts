/**
 * Memory for the bodies of all fills that are under way, in bytes: beside what is stored, and bounded like it. A fill that gets
 * none stores nothing.
 */
export class FillMemory {
  readonly #bytes: number;
  #left: number;

  constructor(bytes: number) {
    this.#bytes = bytes;
    this.#left = bytes;
  }

  get usedBytes(): number {
    return this.#bytes - this.#left;
  }

  /** `take` would not say no. */
  hasRoom(bytes: number): boolean {
    return bytes <= this.#left;
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
