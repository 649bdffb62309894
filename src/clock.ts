/** A timer handle; opaque to everyone but the clock that made it. */
export type TimerHandle = object;

/** Time as a constructor argument: tests pass a clock that only moves when told to. */
export interface Clock {
  /** Milliseconds since the epoch, for anything that is compared with a date. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back, with fractions. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): TimerHandle;
  cancel(timer: TimerHandle): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => setTimeout(callback, delayMs).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** A deadline on a `CoarseClock`: free to arm and disarm per request. `at` is 0 while disarmed. */
export interface Deadline {
  at: number;
  readonly expire: () => void;
}

/**
 * Deadlines checked together, `tickMs` apart, instead of one timer each: arming is one addition and one set insertion.
 * A deadline fires up to `tickMs` late, never early. The tick stops while nothing is armed.
 */
export class CoarseClock {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #armed = new Set<Deadline>();
  #tick: TimerHandle | null = null;

  constructor(clock: Clock, tickMs = 100) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Arms or re-arms `deadline`, `delayMs` from now. `delayMs` 0 disarms: "no limit". */
  arm(deadline: Deadline, delayMs: number): void {
    if (delayMs === 0) {
      this.disarm(deadline);
      return;
    }
    deadline.at = this.#clock.monotonic() + delayMs;
    this.#armed.add(deadline);
    this.#tick ??= this.#clock.after(this.#tickMs, this.#onTick);
  }

  disarm(deadline: Deadline): void {
    deadline.at = 0;
    this.#armed.delete(deadline);
  }

  readonly #onTick = (): void => {
    this.#tick = null;
    const now = this.#clock.monotonic();
    for (const deadline of this.#armed) {
      if (deadline.at > now) continue;
      this.#armed.delete(deadline);
      deadline.at = 0;
      deadline.expire();
    }
    if (this.#armed.size > 0) this.#tick ??= this.#clock.after(this.#tickMs, this.#onTick);
  };
}
