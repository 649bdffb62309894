/** More are not remembered; the oldest is forgotten. About 2 MB. */
const MAX_KEYS = 10_000;

/**
 * Resources whose last answers could not be shared, each for a time: nobody waits for the next one, since it would most likely be
 * somebody else's again (what Varnish calls hit-for-miss).
 */
export class UncacheableKeys {
  /** Until when, in epoch milliseconds, in the order of the last answer. */
  readonly #untilMs = new Map<string, number>();

  has(key: string, nowMs: number): boolean {
    if (this.#untilMs.size === 0) return false;
    const untilMs = this.#untilMs.get(key);
    if (untilMs === undefined) return false;
    if (untilMs > nowMs) return true;
    this.#untilMs.delete(key);
    return false;
  }

  add(key: string, untilMs: number): void {
    this.#untilMs.delete(key);
    this.#untilMs.set(key, untilMs);
    if (this.#untilMs.size <= MAX_KEYS) return;
    const { value } = this.#untilMs.keys().next();
    if (value !== undefined) this.#untilMs.delete(value);
  }

  delete(key: string): void {
    if (this.#untilMs.size > 0) this.#untilMs.delete(key);
  }
}
