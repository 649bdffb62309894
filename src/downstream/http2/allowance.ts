import type { Rate } from './profile.ts';

/** A token bucket: full at first, refilled continuously up to its burst. */
export class Allowance {
  readonly #rate: Rate;
  #level: number;
  #filledAt: number;

  constructor(rate: Rate, nowMs: number) {
    this.#rate = rate;
    this.#level = rate.burst;
    this.#filledAt = nowMs;
  }

  /** Takes `amount`, which may be negative to give some back. False from where there was not enough. */
  spend(amount: number, nowMs: number): boolean {
    const refill = ((nowMs - this.#filledAt) * this.#rate.perSecond) / 1000;
    this.#filledAt = nowMs;
    this.#level = Math.min(this.#rate.burst, this.#level + refill - amount);
    return this.#level >= 0;
  }

  /** More than half of it is gone. */
  get isStrained(): boolean {
    return this.#level < this.#rate.burst / 2;
  }
}
