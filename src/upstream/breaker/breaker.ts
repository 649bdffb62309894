import type { Clock, TimerHandle } from '../../clock.ts';
import { ResultWindow } from './result-window.ts';

/** `passing`: everything as usual. `tripped`: nothing. `probing`: a few requests, to see. */
export type BreakerState = 'passing' | 'tripped' | 'probing';

/** What made a breaker trip. */
export type TripReason = 'consecutive-failures' | 'error-ratio' | 'latency' | 'probe-failed';

/** When a breaker trips, for how long, and what brings it back. */
export interface BreakerPolicy {
  /** Failures in a row; 0 for no such condition. */
  readonly consecutive: number;
  /** Share of the attempts in the window that failed, above 0; `null` for no such condition. */
  readonly errorRatio: number | null;
  /** Share of the answers in the window whose head took longer than `slowerMs`; `null` for no such condition. */
  readonly latency: { readonly slowerMs: number; readonly share: number } | null;
  /** Attempts in the window below which no share counts, at least 1. */
  readonly minimum: number;
  readonly windowMs: number;
  /** Tripped for the first time in a row. Doubled each further time, up to `maxOpenMs`. */
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** Attempts at once while probing, at least 1. */
  readonly probes: number;
  /** Successful probes that bring it back, at least 1. */
  readonly successes: number;
  /** Statuses that are failures although they are answers. */
  readonly isFailure: (status: number) => boolean;
}

/** A change of state, once each. */
export interface BreakerChange {
  readonly state: BreakerState;
  /** Why it has tripped; `null` for the other states, which follow from time and from probes. */
  readonly reason: TripReason | null;
  /** How long it stays tripped; `null` for the other states. */
  readonly openMs: number | null;
  /** How long the state before lasted. */
  readonly heldMs: number;
}

export interface BreakerParts {
  readonly clock: Clock;
  readonly random: () => number;
  /** Hears of changes. Must not throw. */
  readonly changed: (change: BreakerChange) => void;
  /** Hears when `admits` may have become another one. Must not throw. */
  readonly moved: (admits: boolean) => void;
}

/** Of the open time, so that breakers of many gateways do not probe together. */
const JITTER = 0.2;

/**
 * A circuit breaker, after Nygard, Release It! (2007), chapter 5. Only what began since it last began to probe counts: what hung
 * from before it tripped says nothing of now. Live state: kept over reloads, and told of a new policy with `adopt`. Holds one
 * timer while tripped, `probes` numbers at most while probing, and counts.
 */
export class Breaker {
  state: BreakerState = 'passing';
  /** Why it tripped last; `null` before. */
  reason: TripReason | null = null;
  /** How often it has tripped, and how many requests it has refused. */
  trips = 0;
  refusals = 0;
  /** When the state began, in epoch milliseconds. */
  sinceEpoch: number;
  readonly #parts: BreakerParts;
  #policy: BreakerPolicy;
  #window: ResultWindow;
  #sinceMs: number;
  /** When it will probe, on the monotonic clock; meaningless unless tripped. */
  #untilMs = 0;
  #timer: TimerHandle | null = null;
  #failuresInARow = 0;
  /** Trips without a window of good time between them, for the back-off. */
  #tripsInARow = 0;
  #successes = 0;
  readonly #probes = new Set<number>();
  /** Serial of the latest attempt; and of the latest that does not count any more. */
  #latest = 0;
  #stale = 0;
  #retired = false;

  constructor(policy: BreakerPolicy, parts: BreakerParts) {
    this.#policy = policy;
    this.#parts = parts;
    this.#window = new ResultWindow(policy.windowMs);
    this.#sinceMs = parts.clock.monotonic();
    this.sinceEpoch = parts.clock.now();
  }

  /** May an attempt begin now? Free: one comparison while it passes. */
  get admits(): boolean {
    return this.state === 'passing' || (this.state === 'probing' && this.#probes.size < this.#policy.probes);
  }

  /** Whole seconds, from 1, after which it will probe; 1 while the probes are under way. */
  get retryAfterSeconds(): number {
    if (this.state !== 'tripped') return 1;
    return Math.max(1, Math.ceil((this.#untilMs - this.#parts.clock.monotonic()) / 1000));
  }

  /** When it will probe, in epoch milliseconds; `null` unless it has tripped. */
  get untilEpoch(): number | null {
    return this.state === 'tripped' ? this.sinceEpoch + (this.#untilMs - this.#sinceMs) : null;
  }

  /** Attempts and failures within the window, now. */
  get counts(): { readonly attempts: number; readonly failures: number } {
    this.#window.forget(this.#parts.clock.monotonic());
    return { attempts: this.#window.attempts, failures: this.#window.failures };
  }

  /** Counts a request that was turned away because of it. */
  refuse(): void {
    this.refusals += 1;
  }

  /** A reload has brought another policy: what is known stays known, unless the window is another one. */
  adopt(policy: BreakerPolicy): void {
    if (policy === this.#policy) return;
    if (policy.windowMs !== this.#policy.windowMs) this.#window = new ResultWindow(policy.windowMs);
    this.#policy = policy;
    this.#tellMoved();
  }

  began(serial: number): void {
    this.#latest = serial;
    if (this.state !== 'probing' || this.#probes.size >= this.#policy.probes) return;
    this.#probes.add(serial);
    this.#tellMoved();
  }

  /** The head of an answer came. `status` 0: a connection was made, and no more was asked for. */
  answered(serial: number, status: number, headMs: number): void {
    if (!this.#counts(serial)) return;
    const { latency, isFailure } = this.#policy;
    const failed = isFailure(status);
    const slow = latency !== null && headMs > latency.slowerMs;
    if (this.state === 'probing') {
      this.#probed(serial, !failed && !slow);
      return;
    }
    this.#window.add(this.#parts.clock.monotonic(), { failed, answered: true, slow });
    this.#failuresInARow = failed ? this.#failuresInARow + 1 : 0;
    this.#judge();
  }

  /** No answer, or one that was cut short: then `status` is what it had begun with, else 0. */
  failed(serial: number, status: number): void {
    if (!this.#counts(serial)) return;
    if (this.state === 'probing') {
      this.#probed(serial, false);
      return;
    }
    const now = this.#parts.clock.monotonic();
    if (status === 0) this.#window.add(now, { failed: true, answered: false, slow: false });
    // It failed by its status already.
    else if (this.#policy.isFailure(status)) return;
    else this.#window.addLateFailure(now);
    this.#failuresInARow += 1;
    this.#judge();
  }

  /** Nobody waits for it any more. A probe that was neither answered nor failed has shown nothing: another one may begin. */
  ended(serial: number): void {
    if (this.#probes.delete(serial)) this.#tellMoved();
  }

  /** Nobody asks for it any more: lets everything pass, for good. */
  retire(): void {
    this.#retired = true;
    this.state = 'passing';
    this.#stopTimer();
    this.#probes.clear();
    this.#parts.moved(true);
  }

  #counts(serial: number): boolean {
    return serial > this.#stale && this.state !== 'tripped' && !this.#retired;
  }

  #judge(): void {
    const { consecutive, errorRatio, latency, minimum } = this.#policy;
    const { attempts, failures, answers, slow } = this.#window;
    if (consecutive > 0 && this.#failuresInARow >= consecutive) this.#trip('consecutive-failures');
    else if (errorRatio !== null && attempts >= minimum && failures / attempts >= errorRatio) this.#trip('error-ratio');
    else if (latency !== null && answers >= minimum && slow / answers >= latency.share) this.#trip('latency');
  }

  #probed(serial: number, good: boolean): void {
    this.#probes.delete(serial);
    if (!good) {
      this.#trip('probe-failed');
      return;
    }
    this.#successes += 1;
    if (this.#successes < this.#policy.successes) {
      this.#tellMoved();
      return;
    }
    this.#probes.clear();
    this.#enter('passing', null, null);
  }

  #trip(reason: TripReason): void {
    const { openMs, maxOpenMs, windowMs } = this.#policy;
    const { clock, random } = this.#parts;
    // A pause between two trips that is no longer than what it judges by is no recovery.
    const again = this.state === 'probing' || (this.trips > 0 && clock.monotonic() - this.#sinceMs < windowMs);
    this.#tripsInARow = again ? this.#tripsInARow + 1 : 1;
    // 2 ** 30 of the shortest open time is more than a week.
    const backedOff = openMs * 2 ** Math.min(this.#tripsInARow - 1, 30);
    const jittered = Math.min(backedOff, maxOpenMs) * (1 + JITTER * (2 * random() - 1));
    const heldOpenMs = Math.min(Math.max(1, Math.round(jittered)), maxOpenMs);
    this.trips += 1;
    this.reason = reason;
    this.#untilMs = clock.monotonic() + heldOpenMs;
    this.#stale = this.#latest;
    this.#probes.clear();
    this.#timer = clock.after(heldOpenMs, () => this.#probe());
    this.#enter('tripped', reason, heldOpenMs);
  }

  #probe(): void {
    this.#timer = null;
    this.#stale = this.#latest;
    this.#successes = 0;
    this.#window.clear();
    this.#failuresInARow = 0;
    this.#enter('probing', null, null);
  }

  #enter(state: BreakerState, reason: TripReason | null, openMs: number | null): void {
    const now = this.#parts.clock.monotonic();
    const heldMs = now - this.#sinceMs;
    this.state = state;
    this.#sinceMs = now;
    this.sinceEpoch = this.#parts.clock.now();
    this.#tellMoved();
    this.#parts.changed({ state, reason, openMs, heldMs });
  }

  #tellMoved(): void {
    this.#parts.moved(this.admits);
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }
}
