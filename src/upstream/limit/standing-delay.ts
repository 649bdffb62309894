/** When a queue's delay is no burst any more but a standing one (CoDel's two parameters). */
export interface DelayBounds {
  /** A wait that is fine, in milliseconds. */
  readonly targetMs: number;
  /** A wait that never fell to the target for so long is standing. */
  readonly intervalMs: number;
}

/**
 * Tells a burst, which a queue is for, from a standing delay, which only makes everybody wait: CoDel's test (Nichols and
 * Jacobson, "Controlling Queue Delay", ACM Queue 2012; RFC 8289), on the wait of the oldest. The delay stands when it was above
 * the target for a whole interval; it ends when nobody had to be shed for an interval.
 *
 * What is done about it is not CoDel's, whose drops tell senders to slow down: clients of HTTP do not. As in Facebook's servers
 * (Maurer, "Fail at Scale", ACM Queue 2015) the newest is served first and whoever has waited longer than the target is
 * refused, since who is served at all is then served soon.
 */
export class StandingDelay {
  #aboveSinceMs: number | null = null;
  #lastShedMs = 0;
  #standing = false;

  get standing(): boolean {
    return this.#standing;
  }

  /** `waitMs` is that of the oldest who waits now, 0 for an empty queue. */
  observe(waitMs: number, nowMs: number, bounds: DelayBounds): void {
    if (this.#standing) {
      if (nowMs - this.#lastShedMs >= bounds.intervalMs) this.#standing = false;
      return;
    }
    if (waitMs <= bounds.targetMs) {
      this.#aboveSinceMs = null;
      return;
    }
    this.#aboveSinceMs ??= nowMs;
    if (nowMs - this.#aboveSinceMs < bounds.intervalMs) return;
    this.#aboveSinceMs = null;
    this.#standing = true;
    this.#lastShedMs = nowMs;
  }

  /** Somebody was refused for having waited longer than the target. */
  shed(nowMs: number): void {
    this.#lastShedMs = nowMs;
  }
}
