const WINDOW_MS = 1_000;

/** Longest that anybody is told to wait: later than that, nobody knows. */
const MOST_SECONDS = 30;

/** How fast work gets done: a count over a sliding second, from two fixed ones. Two numbers, however much there is. */
export class DrainRate {
  #beganMs = 0;
  #count = 0;
  #before = 0;

  /** One more is done. Hot. */
  note(nowMs: number): void {
    this.#roll(nowMs);
    this.#count += 1;
  }

  /** Per second, over about the last one. */
  perSecond(nowMs: number): number {
    this.#roll(nowMs);
    const passed = (nowMs - this.#beganMs) / WINDOW_MS;
    return (this.#before * (1 - passed) + this.#count) * (1_000 / WINDOW_MS);
  }

  /**
   * Whole seconds until `waiting` of them are done at this rate, from 1 to 30, for `Retry-After`; `null` while nothing gets done,
   * because every number would be a guess.
   */
  secondsFor(waiting: number, nowMs: number): number | null {
    const rate = this.perSecond(nowMs);
    if (rate === 0) return null;
    return Math.min(Math.max(Math.ceil(waiting / rate), 1), MOST_SECONDS);
  }

  #roll(nowMs: number): void {
    const passedMs = nowMs - this.#beganMs;
    if (passedMs < WINDOW_MS) return;
    this.#before = passedMs < 2 * WINDOW_MS ? this.#count : 0;
    this.#beganMs = passedMs < 2 * WINDOW_MS ? this.#beganMs + WINDOW_MS : nowMs;
    this.#count = 0;
  }
}
