/** One deed at a time for each key, in the order they were asked for. As many wait as callers do. */
export class Turns {
  readonly #last = new Map<string, Promise<unknown>>();

  /** Runs `deed` once every earlier one of `key` has ended, well or badly. */
  async take<T>(key: string, deed: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key) ?? Promise.resolve();
    const mine = before.then(deed, deed);
    this.#last.set(key, mine);
    try {
      return await mine;
    } finally {
      if (this.#last.get(key) === mine) this.#last.delete(key);
    }
  }
}
