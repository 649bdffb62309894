/** After this long without an answer an estimate has lost 63 %: Finagle's and Linkerd's default. */
const DECAY_MS = 10_000;

/**
 * Estimate of how long an endpoint takes to answer, as Finagle's Peak EWMA: a slower answer counts at once and in full, faster
 * ones bring the estimate down with time. It also falls while nothing is heard, so that an endpoint that was slow is asked again.
 */
export class PeakLatency {
  #ms = 0;
  #at = 0;

  /** Nothing was ever heard. */
  get isUnknown(): boolean {
    return this.#ms === 0;
  }

  /** The estimate at `nowMs`, monotonic, in milliseconds; 0 while nothing is known. */
  at(nowMs: number): number {
    return this.#ms === 0 ? 0 : this.#ms * this.#kept(nowMs);
  }

  /** An answer took so long. */
  observe(ms: number, nowMs: number): void {
    if (ms >= this.#ms) {
      this.#ms = ms;
    } else {
      const kept = this.#kept(nowMs);
      this.#ms = this.#ms * kept + ms * (1 - kept);
    }
    this.#at = nowMs;
  }

  /** Something went wrong, which is worth at least `ms`: it never brings the estimate down, however fast it was. */
  observeFailure(ms: number, nowMs: number): void {
    this.#ms = Math.max(ms, this.at(nowMs));
    this.#at = nowMs;
  }

  #kept(nowMs: number): number {
    return Math.exp((this.#at - nowMs) / DECAY_MS);
  }
}
