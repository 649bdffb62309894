import type { ProbeId } from '../identity.ts';
import type { Revision } from '../revision.ts';

/** One finished check, judged. */
export interface ProbeOutcome {
  readonly healthy: boolean;
  /** Enumerated: a `JudgedReason`, `timeout`, or the reason of the `GatewayError`. */
  readonly reason: string;
  /** Status of the answer, or `null` when there was none. */
  readonly status: number | null;
  readonly elapsedMs: number;
}

/** The result of one check, as it is told to those who do not check themselves. */
export interface ProbeNews {
  readonly id: ProbeId;
  readonly outcome: ProbeOutcome;
  /** When it came, in epoch milliseconds. */
  readonly atMs: number;
  /** When the next one is sent. */
  readonly nextMs: number;
}

/** All that a state is. */
export interface ProbeMemory {
  readonly id: ProbeId;
  readonly up: boolean;
  readonly sinceMs: number;
  readonly run: number;
  readonly last: ProbeOutcome | null;
  readonly lastMs: number | null;
}

/** When a run of results changes the state. */
export interface ProbeThresholds {
  /** Successes in a row that turn `down` into `up`, at least 1. */
  readonly rise: number;
  /** Failures in a row that turn `up` into `down`, at least 1. */
  readonly fall: number;
  /** State before the first result. */
  readonly start: 'up' | 'down';
}

/**
 * Active health of one origin under one kind of check: up or down, changed only by a full run of contrary results. A
 * single contrary result in between starts the run anew. Kept by the ledger under its `ProbeId` and read by every pool
 * that checks alike.
 */
export class ProbeState {
  readonly id: ProbeId;
  readonly #thresholds: ProbeThresholds;
  readonly #revision: Revision;
  #up: boolean;
  #sinceMs: number;
  #run = 0;
  #last: ProbeOutcome | null = null;
  #lastMs: number | null = null;
  /** When the next check is sent, in epoch milliseconds; `null` before the first result. Written by its `Check` alone. */
  nextMs: number | null = null;

  constructor(id: ProbeId, thresholds: ProbeThresholds, rest: { readonly revision: Revision; readonly nowMs: number }) {
    this.id = id;
    this.#thresholds = thresholds;
    this.#revision = rest.revision;
    this.#up = thresholds.start === 'up';
    this.#sinceMs = rest.nowMs;
  }

  get up(): boolean {
    return this.#up;
  }

  /** When it came into this state, in epoch milliseconds. */
  get sinceMs(): number {
    return this.#sinceMs;
  }

  /** Results in a row that speak against the present state. */
  get run(): number {
    return this.#run;
  }

  /** The latest result, or `null` before the first. */
  get last(): ProbeOutcome | null {
    return this.#last;
  }

  /** When the latest result came, in epoch milliseconds. */
  get lastMs(): number | null {
    return this.#lastMs;
  }

  memory(): ProbeMemory {
    return {
      id: this.id,
      up: this.#up,
      sinceMs: this.#sinceMs,
      run: this.#run,
      last: this.#last,
      lastMs: this.#lastMs,
    };
  }

  /** Goes on from what another process knows. */
  remember({ up, sinceMs, run, last, lastMs }: ProbeMemory): void {
    this.#up = up;
    this.#sinceMs = sinceMs;
    this.#run = run;
    this.#last = last;
    this.#lastMs = lastMs;
    this.#revision.bump();
  }

  /** Takes one result, received at `nowMs` (epoch). Returns whether the state changed. */
  record(outcome: ProbeOutcome, nowMs: number): boolean {
    this.#last = outcome;
    this.#lastMs = nowMs;
    if (outcome.healthy === this.#up) {
      this.#run = 0;
      return false;
    }
    this.#run += 1;
    if (this.#run < (this.#up ? this.#thresholds.fall : this.#thresholds.rise)) return false;
    this.#up = outcome.healthy;
    this.#run = 0;
    this.#sinceMs = nowMs;
    this.#revision.bump();
    return true;
  }
}
