import type { PolicyState } from '../policy-state.ts';
import { BucketTable } from './bucket-table.ts';
import { type Allowance, type Gcra, gcraOf, ticksAt } from './gcra.ts';

export interface LimitOptions extends Allowance {
  /** Most keys that are told apart. */
  readonly maxKeys: number;
}

/** What one limit has counted, in this process. Lives as long as its owner has a limit of this name and key. */
export class Limit implements PolicyState {
  readonly id: string;
  readonly name: string;
  readonly table: BucketTable;
  #gcra: Gcra;
  refused = 0;
  wouldHaveRefused = 0;
  /** Requests that were decided here because the store had nothing to say. */
  decidedAlone = 0;

  constructor(id: string, name: string, options: LimitOptions) {
    this.id = id;
    this.name = name;
    this.#gcra = gcraOf(options);
    this.table = new BucketTable(options.maxKeys);
  }

  get gcra(): Gcra {
    return this.#gcra;
  }

  /** Counts by other numbers from `nowMs` on. What is owed stays owed for as long, but never for longer than a whole refill. */
  adopt(options: LimitOptions, nowMs: number): void {
    const before = this.#gcra;
    const after = gcraOf(options);
    this.table.adopt(options.maxKeys);
    this.#gcra = after;
    if (after.ticksPerMs === before.ticksPerMs && after.burstTicks === before.burstTicks) return;
    this.table.rescale(after.ticksPerMs / before.ticksPerMs, ticksAt(after, nowMs) + after.burstTicks);
  }

  status(): Readonly<Record<string, string | number>> {
    const { rate, burst } = this.#gcra;
    const { table, refused, wouldHaveRefused, decidedAlone } = this;
    return {
      name: this.name,
      rate: `${rate.count} in ${rate.periodMs} ms`,
      burst,
      keys: table.size,
      evicted: table.evicted,
      ...{ refused, wouldHaveRefused, decidedAlone },
    };
  }
}
