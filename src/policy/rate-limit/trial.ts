import { GatewayError } from '../../errors.ts';
import type { PolicyRequest } from '../admit.ts';
import { admits, type Gcra, owedAt, remainingUnits, ticksAt, waitMs } from './gcra.ts';
import { digestOf, type KeyExpression } from './key.ts';
import type { Limit } from './limit.ts';
import { limitItem } from './limit-fields.ts';
import type { Claim, RateStore } from './rate-store.ts';

/** A limit as a route or group has it. */
export interface LimitRule {
  readonly limit: Limit;
  readonly key: KeyExpression;
  /** Units that a request with this method costs; 0 for one that is not counted. */
  readonly cost: (method: string) => number;
  readonly status: 429 | 503;
  /** Counts and notes, and never refuses. */
  readonly dryRun: boolean;
  /** Its item of `RateLimit-Policy`; `null` where clients are not told. */
  readonly policyItem: string | null;
  /** Counts for all gateways; `null`: for this process alone. */
  readonly store: RateStore | null;
}

/** One request before one limit. */
export class Trial {
  readonly rule: LimitRule;
  /** `null`: the limit has no say. */
  #key: string | null = null;
  #gcra: Gcra;
  #cost = 0;
  #now = 0;
  #owed = 0;
  #taken = false;

  constructor(rule: LimitRule) {
    this.rule = rule;
    this.#gcra = rule.limit.gcra;
  }

  /** Begins anew with `request`. */
  begin(request: PolicyRequest): void {
    const { rule } = this;
    this.#gcra = rule.limit.gcra;
    this.#taken = false;
    this.#cost = rule.cost(request.request.method);
    this.#key = this.#cost === 0 ? null : rule.key.of(request);
  }

  get counts(): boolean {
    return this.#key !== null;
  }

  /** What is owed at `ms`, by what this process knows. */
  lookHere(ms: number): void {
    // A reload may have come while the store was asked.
    this.#gcra = this.rule.limit.gcra;
    this.#now = ticksAt(this.#gcra, ms);
    this.#owed = owedAt(this.#gcra, this.rule.limit.table.fullAt(this.#key ?? ''), this.#now);
  }

  /** What is owed at `ms`, by what the store has said, in ticks of what it was asked. */
  hear(owed: number, ms: number): void {
    const asked = this.#gcra;
    const gcra = this.rule.limit.gcra;
    this.#gcra = gcra;
    this.#now = ticksAt(gcra, ms);
    this.#owed = owedAt(gcra, asked === gcra ? owed : Math.floor((owed * gcra.ticksPerMs) / asked.ticksPerMs), 0);
  }

  get admitted(): boolean {
    return admits(this.#gcra, this.#owed, this.#cost);
  }

  get waitMs(): number {
    return waitMs(this.#gcra, this.#owed, this.#cost);
  }

  /** Units that are left. */
  get remaining(): number {
    return remainingUnits(this.#gcra, this.#owed);
  }

  take(): void {
    this.#owed += this.#cost * this.#gcra.unitTicks;
    this.#taken = true;
    this.remember();
  }

  /** Takes nothing back where nothing was taken. */
  giveBack(): void {
    if (!this.#taken) return;
    const ticks = this.#cost * this.#gcra.unitTicks;
    this.#owed = Math.max(0, this.#owed - ticks);
    this.rule.limit.table.giveBack(this.#key ?? '', ticks);
  }

  /** What the store has said holds here too, for when it is lost. */
  remember(): void {
    this.rule.limit.table.set(this.#key ?? '', this.#now + this.#owed, this.#now);
  }

  /** What a store is asked. */
  get claim(): Claim {
    const { limit, dryRun } = this.rule;
    return { key: digestOf(`${limit.id}\n${this.#key}`), gcra: this.#gcra, cost: this.#cost, watches: dryRun };
  }

  /** Its item of `RateLimit`. */
  get item(): string {
    return limitItem(this.rule.limit.name, this.#gcra, this.#owed);
  }

  get refusal(): GatewayError {
    return new GatewayError('http_request_denied', {
      blame: 'client',
      status: this.rule.status,
      reason: 'rate-limit-exceeded',
      retryAfterSeconds: Math.max(1, Math.ceil(this.waitMs / 1000)),
    });
  }
}
