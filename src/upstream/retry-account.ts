import { type Clock, systemClock } from '../clock.ts';
import { HeadLatency } from './hedge-latency.ts';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';

/** Why there was an attempt after the first: the class of failure, a status (`503`), or a hedge. */
export type RetryReason = 'connect' | 'reused' | 'reset' | 'timeout' | 'hedge' | `${number}`;

export interface RetryAccountParts {
  readonly clock: Clock;
  /** The budget is spent, or was not for a whole window since: once for each change, and never more than once a window. */
  readonly changed: (spent: boolean) => void;
}

/** What one pool has spent on attempts after the first. Kept by the ledger under the pool's name. */
export class RetryAccount {
  readonly budget: RetryBudget;
  /** Of requests that may be hedged. */
  readonly latency = new HeadLatency();
  /** As many members as there are reasons: classes, and statuses that routes list. */
  readonly #byReason = new Map<RetryReason, number>();
  /** Retries and hedges that the budget did not pay for. */
  refused = 0;
  /** Hedges whose response was the first. */
  hedgesWon = 0;
  readonly #parts: RetryAccountParts;
  /** When it last refused, on the monotonic clock; `null` while it counts as in funds. */
  #refusedAt: number | null = null;

  constructor(options: RetryBudgetOptions, parts: RetryAccountParts = { clock: systemClock, changed: () => {} }) {
    this.budget = new RetryBudget(options);
    this.#parts = parts;
  }

  /** For one attempt more: its receipt, or -1 when the budget is spent. */
  pay(nowMs: number): number {
    const receipt = this.budget.take(nowMs);
    if (receipt < 0) {
      this.refused += 1;
      if (this.#refusedAt === null) this.#parts.changed(true);
      this.#refusedAt = nowMs;
    } else if (this.#refusedAt !== null && nowMs - this.#refusedAt >= this.budget.windowMs) {
      this.#refusedAt = null;
      this.#parts.changed(false);
    }
    return receipt;
  }

  /** It was made. */
  count(reason: RetryReason): void {
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
  }

  /** Attempts after the first by reason, hedges included. */
  get made(): ReadonlyMap<RetryReason, number> {
    return this.#byReason;
  }

  /** Attempts that could be paid for now. */
  get left(): number {
    return Math.max(0, Math.floor(this.budget.leftAt(this.#parts.clock.monotonic())));
  }
}
