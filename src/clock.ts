/** A timer handle; opaque to everyone but the clock that made it. */
export type TimerHandle = object;

/** Time as a constructor argument: tests pass a clock that only moves when told to. */
export interface Clock {
  /** Milliseconds since the epoch, for anything that is compared with a date. */
  now(): number;
  /** Milliseconds from an arbitrary start, never going back, with fractions. */
  monotonic(): number;
  /** Runs `callback` once after `delayMs`, or 24.8 days if that is longer. The timer never keeps the process alive. */
  after(delayMs: number, callback: () => void): TimerHandle;
  cancel(timer: TimerHandle): void;
}

/** Node takes a longer delay for 1 ms: a check every 30 days would be one every 10 ms. */
const LONGEST_MS = 2 ** 31 - 1;

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after: (delayMs, callback) => setTimeout(callback, Math.min(delayMs, LONGEST_MS)).unref(),
  cancel: (timer) => clearTimeout(timer as NodeJS.Timeout),
};

/** A deadline on a `CoarseClock`: free to arm and disarm per request. */
export interface Deadline {
  /** When it is due, on the monotonic clock; 0 while disarmed. */
  at: number;
  /** Its place in the clock's list while armed; meaningless otherwise. The clock's own. */
  slot: number;
  expire(): void;
}

/**
 * Deadlines checked together, `tickMs` apart, instead of one timer each: arming is one addition and one store.
 * A deadline fires up to `tickMs` late, never early. The tick stops while nothing is armed.
 *
 * An array and not a Set: a Set that is added to and deleted from for every request is rehashed over and over, and each old
 * table keeps what was in it alive until the next full collection.
 */
export class CoarseClock {
  readonly #clock: Clock;
  readonly #tickMs: number;
  readonly #armed: Deadline[] = [];
  #tick: TimerHandle | null = null;

  constructor(clock: Clock, tickMs = 100) {
    this.#clock = clock;
    this.#tickMs = tickMs;
  }

  /** Arms or re-arms `deadline`, `delayMs` from `now`, which saves a caller who knows it a look. `delayMs` 0 disarms: "no limit". */
  arm(deadline: Deadline, delayMs: number, now = this.#clock.monotonic()): void {
    if (delayMs === 0) {
      this.disarm(deadline);
      return;
    }
    if (deadline.at === 0) {
      deadline.slot = this.#armed.length;
      this.#armed.push(deadline);
    }
    deadline.at = now + delayMs;
    this.#tick ??= this.#clock.after(this.#tickMs, this.#onTick);
  }

  disarm(deadline: Deadline): void {
    if (deadline.at === 0) return;
    deadline.at = 0;
    const last = this.#armed.pop() as Deadline;
    if (last === deadline) return;
    this.#armed[deadline.slot] = last;
    last.slot = deadline.slot;
  }

  readonly #onTick = (): void => {
    this.#tick = null;
    const now = this.#clock.monotonic();
    // From the end: expiring one moves the last into its place, which was looked at already.
    for (let i = this.#armed.length - 1; i >= 0; i -= 1) {
      const deadline = this.#armed[i];
      if (deadline === undefined || deadline.at > now) continue;
      this.disarm(deadline);
      deadline.expire();
    }
    if (this.#armed.length > 0) this.#tick ??= this.#clock.after(this.#tickMs, this.#onTick);
  };
}
