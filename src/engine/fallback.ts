import { findStale, type StaleFind } from '../cache/stale.ts';
import type { GatewayError } from '../errors.ts';
import type { Pool } from '../upstream/pool.ts';
import type { Caching } from './caching.ts';
import type { Progress } from './progress.ts';
import type { MakeReply } from './snapshot.ts';

/** What kept a pool from answering, as far as fallbacks tell it apart. */
export type FailureKind = 'breaker' | 'unavailable' | 'overload' | 'connect' | 'reset' | 'timeout';

export type FallbackStep =
  | { readonly kind: 'pool'; readonly pool: Pool }
  | { readonly kind: 'stale'; readonly maxAgeMs: number }
  | { readonly kind: 'respond'; readonly make: MakeReply };

/** What a route does when no response comes from its pool, compiled. */
export interface FallbackPlan {
  readonly on: ReadonlySet<FailureKind>;
  /** Statuses of responses that are not wanted; `null` for none. */
  readonly statuses: ReadonlySet<number> | null;
  /** One of the steps asks another pool. */
  readonly asksPools: boolean;
  /** In this order, until one of them can answer. At least one. */
  readonly steps: readonly FallbackStep[];
}

/** A step that can be taken now. */
export type FallbackDeed =
  | { readonly kind: 'pool'; readonly pool: Pool }
  | { readonly kind: 'stale'; readonly found: StaleFind }
  | { readonly kind: 'respond'; readonly make: MakeReply };

/** What a step may depend on. */
export interface FallbackFacts {
  readonly progress: Progress;
  readonly caching: Caching | null;
  /** Whom no response came from. */
  readonly pool: Pool;
  /** The request is there from its beginning, and may be sent once more. */
  readonly canSend: boolean;
  readonly nowMs: number;
}

/** The fallbacks of one exchange: each step is taken once. Made when the first is needed. */
export class Fallbacks {
  readonly #plan: FallbackPlan;
  #next = 0;

  constructor(plan: FallbackPlan) {
    this.#plan = plan;
  }

  /** Would `take` find a step? */
  has(facts: FallbackFacts): boolean {
    return this.#find(facts) !== null;
  }

  /** The next step that can be carried out, or `null` when none is left. */
  take(facts: FallbackFacts): FallbackDeed | null {
    const found = this.#find(facts);
    this.#next = found === null ? this.#plan.steps.length : found.index + 1;
    return found === null ? null : found.deed;
  }

  #find(facts: FallbackFacts): { readonly index: number; readonly deed: FallbackDeed } | null {
    const { steps } = this.#plan;
    for (let index = this.#next; index < steps.length; index += 1) {
      const deed = deedOf(steps[index] as FallbackStep, facts);
      if (deed !== null) return { index, deed };
    }
    return null;
  }
}

function deedOf(step: FallbackStep, facts: FallbackFacts): FallbackDeed | null {
  switch (step.kind) {
    case 'respond':
      return step;
    case 'pool':
      return facts.canSend && step.pool !== facts.pool ? step : null;
    case 'stale':
      return staleOf(step.maxAgeMs, facts);
  }
}

function staleOf(maxAgeMs: number, { progress, caching, nowMs }: FallbackFacts): FallbackDeed | null {
  if (caching === null || caching.lookup.kind === 'bypass') return null;
  const { store } = progress.edition.snapshot.cache;
  const found = findStale(store, caching.request, caching.policy, { nowMs, maxAgeMs });
  return found === null ? null : { kind: 'stale', found };
}

/** What sort of failure `error` is; `null` for what no other answer could be better to: the client's own doing, and bugs. */
export function failureKind({ blame, code, reason, status }: GatewayError): FailureKind | null {
  if (blame === 'client' || status < 500 || code === 'proxy_internal_error') return null;
  if (reason === 'breaker-open') return 'breaker';
  if (code === 'connection_limit_reached') return 'overload';
  if (code === 'destination_unavailable') return blame === 'upstream' ? 'unavailable' : null;
  if (code === 'http_response_timeout' || code.endsWith('_read_timeout') || code.endsWith('_write_timeout')) {
    return 'timeout';
  }
  if (isUnreached(code)) return 'connect';
  return blame === 'upstream' ? 'reset' : null;
}

/** Nothing of the request was sent anywhere. */
function isUnreached(code: GatewayError['code']): boolean {
  return (
    code === 'connection_refused' ||
    code === 'connection_timeout' ||
    code === 'destination_not_found' ||
    code.startsWith('dns_') ||
    code.startsWith('tls_')
  );
}
