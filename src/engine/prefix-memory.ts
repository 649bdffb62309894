/** Somebody who waits for room. */
export interface PrefixWaiter {
  readonly bytes: number;
  readonly granted: () => void;
}

/**
 * Bytes of request bodies that are held back until it is known whose they are, all exchanges together. Who finds no room waits for its turn and
 * reads nothing meanwhile, so that its client feels it; it bounds its wait itself. As many wait as there are exchanges.
 */
export class PrefixMemory {
  #capacity: number;
  #taken = 0;
  readonly #waiting = new Set<PrefixWaiter>();
  #isServing = false;

  constructor(bytes: number) {
    this.#capacity = bytes;
  }

  /** Held by all. */
  get takenBytes(): number {
    return this.#taken;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** This counts from now on. What is held stays. */
  adopt(bytes: number): void {
    this.#capacity = bytes;
    this.#serve();
  }

  /** Calls `granted` once there is room, at once if there is and nobody else waits. Must not throw. */
  take(waiter: PrefixWaiter): void {
    this.#waiting.add(waiter);
    this.#serve();
  }

  /** It does not wait any more, if it did. */
  leave(waiter: PrefixWaiter): void {
    if (this.#waiting.delete(waiter)) this.#serve();
  }

  giveBack(bytes: number): void {
    this.#taken -= bytes;
    this.#serve();
  }

  /** In the order in which they came; a large one is not overtaken. More than all is room enough when nobody holds any. */
  #serve(): void {
    // Who is granted room may give it back at once: the loop below sees that, and one within another would be as deep as there are waiters.
    if (this.#isServing) return;
    this.#isServing = true;
    try {
      for (const waiter of this.#waiting) {
        if (this.#taken > 0 && this.#taken + waiter.bytes > this.#capacity) return;
        this.#waiting.delete(waiter);
        this.#taken += waiter.bytes;
        waiter.granted();
      }
    } finally {
      this.#isServing = false;
    }
  }
}
