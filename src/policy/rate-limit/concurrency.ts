// Hot: every request of a limited route. Benchmark: bench/rate-limit.ts.

import { GatewayError } from '../../errors.ts';
import type { AdmitPolicy, PolicyRequest, Verdict } from '../admit.ts';
import type { PolicyState } from '../policy-state.ts';
import type { KeyExpression } from './key.ts';

/** How many exchanges of each key are under way, in this process. A key that has none is not kept, so there are never more than exchanges. */
export class InFlight implements PolicyState {
  readonly id: string;
  readonly name: string;
  readonly #counts = new Map<string, number>();
  refused = 0;
  wouldHaveRefused = 0;

  constructor(id: string, name: string) {
    this.id = id;
    this.name = name;
  }

  of(key: string): number {
    return this.#counts.get(key) ?? 0;
  }

  /** Until what is returned is called, once. */
  enter(key: string): () => void {
    this.#counts.set(key, this.of(key) + 1);
    return () => {
      const left = this.of(key) - 1;
      if (left > 0) this.#counts.set(key, left);
      else this.#counts.delete(key);
    };
  }

  status(): Readonly<Record<string, string | number>> {
    const { name, refused, wouldHaveRefused } = this;
    let inFlight = 0;
    for (const count of this.#counts.values()) inFlight += count;
    return { name, inFlight, keys: this.#counts.size, refused, wouldHaveRefused };
  }
}

/** A limit of what is under way at once, as a route or group has it. */
export interface ConcurrencyRule {
  readonly inFlight: InFlight;
  readonly max: number;
  readonly key: KeyExpression;
  readonly status: 429 | 503;
  /** `Retry-After`, whole seconds: nobody can know when one of the others ends. */
  readonly retryAfterSeconds: number;
  /** Counts and notes, and never refuses. */
  readonly dryRun: boolean;
}

/** A request enters where all rules let it in, and leaves when it is over, however it ends: a tunnel when that is closed. */
export function concurrencyPolicy(rules: readonly ConcurrencyRule[]): AdmitPolicy<'concurrency'> {
  const keys: (string | null)[] = rules.map(() => null);
  const admit = (request: PolicyRequest): Verdict | null => {
    let no: ConcurrencyRule | null = null;
    for (const [index, rule] of rules.entries()) {
      const key = rule.key.of(request);
      keys[index] = key;
      if (key === null || rule.inFlight.of(key) < rule.max) continue;
      if (!rule.dryRun) no ??= rule;
      else if (!request.hypothetical) watch(rule, request);
    }
    if (no !== null) return refuse(no, request);
    if (request.hypothetical) return null;
    for (const [index, rule] of rules.entries()) {
      const key = keys[index] ?? null;
      if (key !== null) request.atEnd(rule.inFlight.enter(key));
    }
    return null;
  };
  return { phase: 'concurrency', policy: 'concurrency', admit };
}

function watch({ inFlight }: ConcurrencyRule, request: PolicyRequest): void {
  inFlight.wouldHaveRefused += 1;
  request.note(`concurrency-dry-run:${inFlight.name}`);
}

function refuse({ inFlight, status, retryAfterSeconds }: ConcurrencyRule, request: PolicyRequest): Verdict {
  if (!request.hypothetical) {
    inFlight.refused += 1;
    request.note(`concurrency-exceeded:${inFlight.name}`);
  }
  const reason = 'concurrency-exceeded';
  const error = new GatewayError('http_request_denied', { blame: 'client', status, reason, retryAfterSeconds });
  return { kind: 'refuse', error };
}
