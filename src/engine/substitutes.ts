import type { StaleFind } from '../cache/stale.ts';
import type { GatewayError } from '../errors.ts';
import type { Pool } from '../upstream/pool.ts';
import { answerInstead, isUnwanted, unwanted } from './answer-instead.ts';
import { type FallbackDeed, type FallbackFacts, Fallbacks, failureKind } from './fallback.ts';
import { isRepeatable } from './retrying.ts';
import { type FailedExchange, isServerError, serveStaleForError, staleForError } from './stale-if-error.ts';

/** What answers in place of the pool. */
export type Substitute = FallbackDeed | { readonly kind: 'stale-if-error'; readonly found: StaleFind };

/** Whom no response came from, and what the request is like for one more that would be asked. */
export interface Resending {
  readonly pool: Pool;
  /** Its body, if there is one, is there from its beginning. */
  readonly hasBody: boolean;
  /** Of the exchange's time. */
  readonly leftMs: number;
}

/**
 * What may answer an exchange when no response comes from its pool: what is stored, where that is allowed (RFC 5861 §4), then the
 * route's fallbacks in their order, each of them once. Made when the first is needed.
 */
export class Substitutes {
  readonly #exchange: FailedExchange;
  readonly #fallbacks: Fallbacks | null;

  constructor(exchange: FailedExchange) {
    this.#exchange = exchange;
    const { fallback } = exchange.plan;
    this.#fallbacks = fallback === null ? null : new Fallbacks(fallback);
  }

  /** Why a response of this status is not wanted, as there is something better; `null` when it is. */
  declined(status: number, by: Resending): GatewayError | null {
    const { progress, plan } = this.#exchange;
    const error = unwanted(status);
    if (isServerError(status) && (progress.isRefresh || staleForError(this.#exchange) !== null)) return error;
    if (this.#fallbacks === null || plan.fallback?.statuses?.has(status) !== true) return null;
    return this.#fallbacks.has(this.#facts(error, by)) ? error : null;
  }

  /** The next one that can answer in place of `error`, noted in the progress; `null` when none is left. */
  next(error: GatewayError, by: Resending): Substitute | null {
    const stale = failureKind(error) === null ? null : staleForError(this.#exchange);
    if (stale !== null) return { kind: 'stale-if-error', found: stale };
    if (this.#fallbacks === null || !this.#mayFallBack(error)) return null;
    const deed = this.#fallbacks.take(this.#facts(error, by));
    if (deed !== null) this.#exchange.progress.fallback = { kind: deed.kind, why: error.reason };
    return deed;
  }

  /** Ends the exchange with it. */
  answer(substitute: Exclude<Substitute, { readonly kind: 'pool' }>, error: GatewayError): void {
    if (substitute.kind === 'stale-if-error') serveStaleForError(substitute.found, error, this.#exchange);
    else answerInstead(substitute, error, this.#exchange);
  }

  /** Once a first step was taken, any failure leads to the next. */
  #mayFallBack(error: GatewayError): boolean {
    const kind = failureKind(error);
    if (kind === null) return false;
    const { progress, plan } = this.#exchange;
    return progress.fallback !== null || isUnwanted(error) || plan.fallback?.on.has(kind) === true;
  }

  #facts(error: GatewayError, { pool, hasBody, leftMs }: Resending): FallbackFacts {
    const { parts, progress, plan, caching } = this.#exchange;
    const isUnseen = error.retry === 'always' || progress.attempts === 0 || failureKind(error) === 'overload';
    const canSend = hasBody && (isUnseen || isRepeatable(progress, plan.retry)) && leftMs > 0;
    return { progress, caching, pool, canSend, nowMs: parts.clock.now() };
  }
}
