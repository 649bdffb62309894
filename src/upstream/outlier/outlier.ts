import type { Clock, TimerHandle } from '../../clock.ts';
import type { EndpointLive } from '../endpoint-live.ts';
import type { EjectionReason, OutlierPolicy, ReturnReason } from './outlier-policy.ts';
import { OutlierSample } from './outlier-sample.ts';

/** An endpoint was put aside, or came back; once each. */
export type OutlierChange =
  | {
      readonly ejected: true;
      readonly reason: EjectionReason;
      readonly forMs: number;
      /** Times in a row, this one included. */
      readonly inARow: number;
    }
  | { readonly ejected: false; readonly reason: ReturnReason; readonly heldMs: number };

export interface OutlierParts {
  readonly clock: Clock;
  /** Hears of changes. Must not throw. */
  readonly changed: (change: OutlierChange) => void;
}

/** 2^16 times any ejection is longer than the longest. */
const MOST_DOUBLINGS = 16;

/**
 * What passive health knows of one endpoint. Live state: kept over reloads, whatever the policy. `live.ejected` is its doing alone. Holds
 * one timer while the endpoint is put aside, and counts.
 */
export class Outlier {
  readonly sample = new OutlierSample();
  /** What it was put aside for, now or last; `null` before the first time. */
  reason: EjectionReason | null = null;
  /** How often it was put aside. */
  ejections = 0;
  /** When it was put aside and when it comes back, in epoch milliseconds; `null` while it is not. */
  ejectedAt: number | null = null;
  ejectedUntil: number | null = null;
  readonly #live: EndpointLive;
  readonly #parts: OutlierParts;
  #timer: TimerHandle | null = null;
  /** Attempts in a row that got no good head. */
  #failures = 0;
  /** Responses in a row that were cut short: their heads were good, so the count above does not see them. */
  #cuts = 0;
  /** Serial of the latest attempt that failed, of the latest that began, and of the latest that does not count any more. */
  #failed = 0;
  #latest = 0;
  #stale = 0;
  #inARow = 0;
  /** On the monotonic clock. */
  #returnedAt = 0;

  constructor(live: EndpointLive, parts: OutlierParts) {
    this.#live = live;
    this.#parts = parts;
  }

  /** Times in a row that it was put aside, without good time between them. */
  get inARow(): number {
    return this.#inARow;
  }

  /** The larger of the two runs of failures. */
  get failuresInARow(): number {
    return Math.max(this.#failures, this.#cuts);
  }

  began(serial: number): void {
    this.#latest = serial;
  }

  /** A head came: good, or with a status that is a failure. */
  answered(serial: number, good: boolean, headMs: number): void {
    if (this.#isStale(serial)) return;
    if (good) {
      this.#failures = 0;
      this.sample.answered(headMs);
      return;
    }
    this.#failures += 1;
    this.sample.failed();
  }

  /** No head came, or what followed a good one was cut short. */
  failed(serial: number, headWasGood: boolean): void {
    this.#failed = serial;
    if (this.#isStale(serial)) return;
    if (headWasGood) {
      this.#cuts += 1;
      this.sample.failedLate();
      return;
    }
    this.#failures += 1;
    this.sample.failed();
  }

  /** Nobody waits for it any more. */
  ended(serial: number, headWasGood: boolean): void {
    if (headWasGood && serial !== this.#failed) this.#cuts = 0;
  }

  /** Begins to count anew: the pool can't do without it now. */
  forgive(): void {
    this.#failures = 0;
    this.#cuts = 0;
  }

  eject(reason: EjectionReason, { ejectionMs, maxEjectionMs }: OutlierPolicy): void {
    const { clock } = this.#parts;
    const goodMs = clock.monotonic() - this.#returnedAt;
    // Each ejection time that went well takes back one doubling.
    this.#inARow = Math.max(0, this.#inARow - Math.floor(goodMs / ejectionMs));
    const forMs = Math.min(maxEjectionMs, ejectionMs * 2 ** Math.min(this.#inARow, MOST_DOUBLINGS));
    this.#inARow += 1;
    this.ejections += 1;
    this.reason = reason;
    this.ejectedAt = clock.now();
    this.ejectedUntil = this.ejectedAt + forMs;
    this.#startAfresh();
    this.#live.ejected = true;
    this.#timer = clock.after(forMs, () => this.comeBack('time-served'));
    this.#parts.changed({ ejected: true, reason, forMs, inARow: this.#inARow });
  }

  /** Does nothing to one that was not put aside. */
  comeBack(reason: ReturnReason): void {
    if (this.ejectedAt === null) return;
    const heldMs = this.#parts.clock.now() - this.ejectedAt;
    this.#release();
    this.#returnedAt = this.#parts.clock.monotonic();
    this.#startAfresh();
    this.#parts.changed({ ejected: false, reason, heldMs });
  }

  /** Nobody watches any more: it counts as well, and no timer is left. */
  retire(): void {
    this.#release();
  }

  #release(): void {
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
    this.ejectedAt = null;
    this.ejectedUntil = null;
    this.#live.ejected = false;
  }

  /** What is under way began before, and says nothing of how it is from now on. */
  #startAfresh(): void {
    this.forgive();
    this.sample.reset();
    this.#stale = this.#latest;
  }

  #isStale(serial: number): boolean {
    return serial <= this.#stale || this.ejectedAt !== null;
  }
}
