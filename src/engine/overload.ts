import { GatewayError } from '../errors.ts';
import type { Importance } from '../upstream/limit/importance.ts';

/** How hard the process is pressed, as somebody outside measures it. */
export interface Pressure {
  /** By how much the event loop was late just now, in milliseconds. */
  readonly eventLoopDelayMs: number;
  /** Share of the memory that it may have: 1 is the end of it. */
  readonly memory: number;
}

/** From where on requests are refused. */
export interface OverloadOptions {
  /** 0 for never. */
  readonly eventLoopDelayMs: number;
  /** A share, below 1; 0 for never. */
  readonly memory: number;
}

export interface OverloadStatus {
  /** Some requests are refused. */
  readonly active: boolean;
  /** From 0, where only those of low importance are refused, to 1, where all are. */
  readonly severity: number;
  /** Median of the last five, in milliseconds. */
  readonly eventLoopDelayMs: number;
  readonly memory: number;
  /** Since the start. */
  readonly refused: number;
}

/** At so many times the delay where it begins, everything is refused. */
const FULL = 4;
/** It ends below this share of where it began, so that it does not come and go at the edge. */
const RELIEF = 0.8;
const RELIEVED_FOR = 10;
/** Odd, so that there is one in the middle. */
const DELAYS = 5;
const MOST_SECONDS = 30;

/**
 * Is the whole gateway pressed so hard that it must refuse work to get any done? Then it refuses by degrees: from the beginning all
 * of low importance; a share of what is of normal importance that grows with the pressure; from half of it on a share of what is of high
 * importance; in the end everything that would go to a pool. What Headgate answers itself costs no more than a refusal, and is answered.
 *
 * The delay is the median of the last five measurements: a single stall, however long (a collection of garbage, a machine that
 * slept), is over when it is seen, and says nothing of what comes.
 */
export class Overload {
  /** Nobody needs to ask further while it is false. Hot. */
  active = false;
  #options: OverloadOptions;
  readonly #random: () => number;
  readonly #delays: number[] = Array.from({ length: DELAYS }, () => 0);
  #next = 0;
  #memory = 0;
  #severity = 0;
  #relieved = 0;
  #sinceMs = 0;
  #nowMs = 0;
  #refused = 0;

  /** `random` returns numbers in [0, 1). */
  constructor(options: OverloadOptions, random: () => number) {
    this.#options = options;
    this.#random = random;
  }

  /** These count from the next measurement on. */
  adopt(options: OverloadOptions): void {
    this.#options = options;
    if (options.eventLoopDelayMs > 0 || options.memory > 0) return;
    this.active = false;
    this.#severity = 0;
  }

  /** To be told at even intervals, some ten times a second. True when it became active, or is no more. */
  observe(pressure: Pressure, nowMs: number): boolean {
    this.#nowMs = nowMs;
    this.#delays[this.#next] = pressure.eventLoopDelayMs;
    this.#next = (this.#next + 1) % DELAYS;
    this.#memory = pressure.memory;
    const load = this.#load();
    this.#severity = Math.min(Math.max(load.severity, 0), 1);
    if (!this.active) {
      if (load.severity <= 0) return false;
      this.active = true;
      this.#sinceMs = nowMs;
      this.#relieved = 0;
      return true;
    }
    this.#relieved = load.share < RELIEF ? this.#relieved + 1 : 0;
    this.active = this.#relieved < RELIEVED_FOR;
    return !this.active;
  }

  /** Why a request of this importance is not taken now; `null` when it is. To be asked while `active`. */
  refusal(importance: Importance): GatewayError | null {
    if (!this.active || this.#random() >= this.#refusedShare(importance)) return null;
    this.#refused += 1;
    return new GatewayError('proxy_internal_response', {
      blame: 'gateway',
      status: 503,
      reason: 'overloaded',
      retryAfterSeconds: this.#retryAfterSeconds(),
    });
  }

  status(): OverloadStatus {
    return {
      active: this.active,
      severity: this.#severity,
      eventLoopDelayMs: this.#delayMs,
      memory: this.#memory,
      refused: this.#refused,
    };
  }

  #refusedShare(importance: Importance): number {
    if (importance === 'low') return 1;
    return importance === 'normal' ? this.#severity : 2 * this.#severity - 1;
  }

  /** As long again as it has lasted: the best guess there is about something that nobody knows the cause of. */
  #retryAfterSeconds(): number {
    return Math.min(Math.max(Math.ceil((this.#nowMs - this.#sinceMs) / 1_000), 1), MOST_SECONDS);
  }

  get #delayMs(): number {
    return this.#delays.toSorted((a, b) => a - b)[DELAYS >> 1] as number;
  }

  /** `share` of where refusing begins, and `severity` beyond that; the worse of delay and memory. */
  #load(): { readonly share: number; readonly severity: number } {
    const { eventLoopDelayMs: mostMs, memory: most } = this.#options;
    const delay = mostMs === 0 ? 0 : this.#delayMs / mostMs;
    const memory = most === 0 ? 0 : this.#memory / most;
    return {
      share: Math.max(delay, memory),
      severity: Math.max((delay - 1) / (FULL - 1), most === 0 ? -1 : (this.#memory - most) / (1 - most)),
    };
  }
}
