import type { Affinity } from './affinity.ts';
import { type BalanceRequest, type Balancer, wasTried } from './balance/balancer.ts';
import { type Endpoint, isAvailable, isHealthy } from './endpoint.ts';

/** `Host` sent upstream: the client's, the endpoint's authority, or a fixed one. */
export type HostPolicy = 'preserve' | 'endpoint' | { readonly fixed: string };

export interface PickRequest extends BalanceRequest {
  /** Value of the cookie `affinity.cookie`, or `null`. Not looked at when the pool has no affinity. */
  readonly affinityCookie: string | null;
}

export interface PoolOptions {
  readonly name: string;
  /** At least one, no origin twice. */
  readonly endpoints: readonly Endpoint[];
  /** Over the same endpoints (`balance/balancer-of.ts`). */
  readonly balancer: Balancer;
  /** Over the same endpoints, or `null` for none. */
  readonly affinity: Affinity | null;
  readonly hostPolicy: HostPolicy;
}

/** A named set of endpoints and the choice among them. Immutable; the live state is in the endpoints and the balancer's cursor. */
export class Pool {
  readonly name: string;
  readonly endpoints: readonly Endpoint[];
  readonly affinity: Affinity | null;
  readonly hostPolicy: HostPolicy;
  readonly #balancer: Balancer;

  constructor(options: PoolOptions) {
    this.name = options.name;
    this.endpoints = options.endpoints;
    this.affinity = options.affinity;
    this.hostPolicy = options.hostPolicy;
    this.#balancer = options.balancer;
  }

  /**
   * The endpoint for the next attempt: the affinity cookie's while it can serve, else the balancer's choice. `null` when
   * none is left. Does not count it as in flight; the caller does, before it connects. Allocates nothing.
   */
  pick(request: PickRequest): Endpoint | null {
    if (this.affinity !== null && request.affinityCookie !== null) {
      const held = this.affinity.endpointOf(request.affinityCookie);
      // Neither weight 0 nor drained by hand ends a session; that is what these two are for. Only health and a failed
      // attempt of this exchange do. A removed endpoint is not in this pool, so its cookie is unknown.
      if (held !== null && isHealthy(held) && !wasTried(held, request.tried)) return held;
    }
    return this.#balancer.pick(request);
  }

  /**
   * Must the response carry `affinity.setCookie(endpoint, …)`? True for a client without a cookie, with an unknown one,
   * or whose session moved to `endpoint`. Apart from `pick`, so that a pick without affinity has no result to wrap.
   */
  needsCookie(endpoint: Endpoint, affinityCookie: string | null): boolean {
    return this.affinity !== null && affinityCookie !== this.affinity.cookieFor(endpoint);
  }

  /** Endpoints that may take new work now; for status and readiness, not for the request path. */
  availableCount(): number {
    let count = 0;
    for (const endpoint of this.endpoints) if (isAvailable(endpoint)) count += 1;
    return count;
  }
}
