import { HeadLatency } from './hedge-latency.ts';
import { RetryBudget, type RetryBudgetOptions } from './retry-budget.ts';

/** Why there was an attempt after the first: the class of failure, a status (`503`), or a hedge. */
export type RetryReason = 'connect' | 'reused' | 'reset' | 'timeout' | 'hedge' | `${number}`;

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

  constructor(options: RetryBudgetOptions) {
    this.budget = new RetryBudget(options);
  }

  /** For one attempt more: its receipt, or -1 when the budget is spent. */
  pay(nowMs: number): number {
    const receipt = this.budget.take(nowMs);
    if (receipt < 0) this.refused += 1;
    return receipt;
  }

  /** It was made. */
  count(reason: RetryReason): void {
    this.#byReason.set(reason, (this.#byReason.get(reason) ?? 0) + 1);
  }

  /** Attempts after the first by reason, hedges included. */
  get spent(): ReadonlyMap<RetryReason, number> {
    return this.#byReason;
  }
}
