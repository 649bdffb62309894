import type { GatewayError } from '../errors.ts';
import type { Affinity } from './affinity/affinity.ts';
import type { AttemptMark, AttemptWatcher } from './attempt-watcher.ts';
import type { BalanceRequest, Balancer } from './balance/balancer.ts';
import type { Breaker } from './breaker/breaker.ts';
import { type Endpoint, isAvailable } from './endpoint.ts';
import { RetryAccount } from './retry-account.ts';

/** `Host` sent upstream: the client's, the endpoint's authority, or a fixed one. */
export type HostPolicy = 'preserve' | 'endpoint' | { readonly fixed: string };

export interface PickRequest extends BalanceRequest {
  /** What `affinity.sessionOf` says of the request, or `null`. Not looked at when the pool has no affinity. */
  readonly session: string | null;
}

export interface PoolOptions {
  readonly name: string;
  /** No origin twice. None while discovery has found none. */
  readonly endpoints: readonly Endpoint[];
  /** Makes the choice among these endpoints (`balance/balancer-of.ts`). */
  readonly balance: (endpoints: readonly Endpoint[]) => Balancer;
  /** Sessions at these endpoints; `null` for none. */
  readonly affinity: ((endpoints: readonly Endpoint[]) => Affinity) | null;
  readonly hostPolicy: HostPolicy;
  /** Hear of every attempt, in this order. Default none. */
  readonly watchers?: readonly AttemptWatcher[];
  /** Refuses requests while it does not admit any; one of the watchers tells it of attempts. Default none. */
  readonly breaker?: Breaker | null;
  /** What it has spent on retries. Default: an account of its own. */
  readonly retries?: RetryAccount;
}

/**
 * A named set of endpoints and the choice among them. What it was configured to do never changes; who its members are may
 * (`replace`), and how they feel is in their live state.
 */
export class Pool {
  readonly name: string;
  readonly hostPolicy: HostPolicy;
  /** To be asked before every pick. */
  readonly breaker: Breaker | null;
  readonly retries: RetryAccount;
  readonly #options: PoolOptions;
  readonly #watchers: readonly AttemptWatcher[];
  #endpoints: readonly Endpoint[];
  #balancer: Balancer;
  #affinity: Affinity | null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.name = options.name;
    this.hostPolicy = options.hostPolicy;
    this.breaker = options.breaker ?? null;
    this.retries = options.retries ?? new RetryAccount({ share: 0.2, minimumPerSecond: 3, windowMs: 10_000 });
    this.#watchers = options.watchers ?? [];
    this.#endpoints = options.endpoints;
    this.#balancer = options.balance(options.endpoints);
    this.#affinity = options.affinity?.(options.endpoints) ?? null;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  get affinity(): Affinity | null {
    return this.#affinity;
  }

  /** Discovery has found these members. Attempts under way at others go on. */
  replace(endpoints: readonly Endpoint[]): void {
    this.#endpoints = endpoints;
    this.#balancer = this.#options.balance(endpoints);
    this.#affinity = this.#options.affinity?.(endpoints) ?? null;
  }

  /**
   * The endpoint for the next attempt: its session's while that can serve, else the balancer's choice. `null` when
   * none is left. Does not count it as in flight; `began` does. Allocates nothing.
   */
  pick(request: PickRequest): Endpoint | null {
    if (this.#affinity !== null && request.session !== null) {
      const held = this.#affinity.pick(request.session, request.tried);
      if (held !== null) return held;
    }
    return this.#balancer.pick(request);
  }

  /** An attempt begins: called before connecting, so that a burst does not all pick the endpoint that looks idle. */
  began(endpoint: Endpoint, attempt: AttemptMark): void {
    endpoint.live.inFlight += 1;
    for (const watcher of this.#watchers) watcher.began(endpoint, attempt);
  }

  answered(endpoint: Endpoint, headMs: number, attempt: AttemptMark): void {
    for (const watcher of this.#watchers) watcher.answered(endpoint, attempt.status, headMs, attempt);
  }

  /** A client that left, and what was our own doing, blames no endpoint. */
  failed(endpoint: Endpoint, error: GatewayError, attempt: AttemptMark): void {
    if (error.blame !== 'upstream') return;
    for (const watcher of this.#watchers) watcher.failed(endpoint, error, attempt);
  }

  /** To be called exactly once after `began`. */
  ended(endpoint: Endpoint, attempt: AttemptMark): void {
    endpoint.live.inFlight -= 1;
    for (const watcher of this.#watchers) watcher.ended(endpoint, attempt);
  }

  /** Endpoints that may take new work now; for status and readiness, not for the request path. */
  availableCount(): number {
    let count = 0;
    for (const endpoint of this.#endpoints) if (isAvailable(endpoint)) count += 1;
    return count;
  }
}
