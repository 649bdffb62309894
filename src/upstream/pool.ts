import type { ErrorCode, GatewayError } from '../errors.ts';
import type { Affinity } from './affinity/affinity.ts';
import type { AttemptFigures } from './attempt-figures.ts';
import type { AttemptMark, AttemptWatcher } from './attempt-watcher.ts';
import type { BalanceRequest } from './balance/balancer.ts';
import type { Balancing } from './balance/balancing.ts';
import { type Tier, Tiers } from './balance/tiers.ts';
import type { Breaker } from './breaker/breaker.ts';
import type { Endpoint } from './endpoint.ts';
import type { UpstreamObserver } from './events.ts';
import type { LimitOptions, PoolLimit } from './limit/pool-limit.ts';
import type { OutlierWatcher } from './outlier/outlier-watcher.ts';
import type { PoolLive } from './pool-live.ts';
import { RetryAccount } from './retry-account.ts';
import type { Revision } from './revision.ts';

/** `Host` sent upstream: the client's, the endpoint's authority, or a fixed one. */
export type HostPolicy = 'preserve' | 'endpoint' | { readonly fixed: string };

/** Why a pool has no endpoints at all. */
export interface Absence {
  readonly code: ErrorCode;
  /** Enumerated: `name-not-resolved`, `discovery-pending`, `no-endpoint-known`. */
  readonly reason: string;
}

export interface PickRequest extends BalanceRequest {
  /** What `affinity.sessionOf` says of the request, or `null`. Not looked at when the pool has no affinity. */
  readonly session: string | null;
}

/** An endpoint that a request goes to, and what settles that. */
export interface Settled {
  readonly endpoint: Endpoint;
  readonly by: 'session' | 'hash' | 'only';
}

export interface PoolOptions {
  readonly name: string;
  /** No origin twice. None while discovery has found none. */
  readonly endpoints: readonly Endpoint[];
  /** Why there are none. */
  readonly absence?: Absence | null;
  /** How to choose among the endpoints of one priority. */
  readonly balancing: Balancing;
  /** When to go on to the next priority, and when to give up asking for health. Both are shares of healthy endpoints, 0 to 1. */
  readonly failover: { readonly enough: number; readonly panic: number };
  readonly live: PoolLive;
  /** The gateway's: has moved when an endpoint has changed. */
  readonly revision: Revision;
  readonly observer: UpstreamObserver;
  /** Sessions at these endpoints; `null` for none. */
  readonly affinity: ((endpoints: readonly Endpoint[]) => Affinity) | null;
  readonly hostPolicy: HostPolicy;
  /** Hear of every attempt, in this order. Default none. */
  readonly watchers?: readonly AttemptWatcher[];
  /** Refuses requests while it does not admit any; one of the watchers tells it of attempts. Default none. */
  readonly breaker?: Breaker | null;
  /** What it has spent on retries. Default: an account of its own. */
  readonly retries?: RetryAccount;
  /** Keeps it within its limits; hears of every attempt, after the watchers. Default none. */
  readonly limits?: { readonly keeper: PoolLimit; readonly options: LimitOptions } | null;
  /** Passive health: one more watcher. Default none. */
  readonly outliers?: OutlierWatcher | null;
  /** How long an endpoint takes to its full weight when it comes back or joins others. Default 0. */
  readonly slowStartMs?: number;
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
  /** What may be in flight, and who waits for it. `null` where everything may. */
  readonly limit: PoolLimit | null;
  readonly outliers: OutlierWatcher | null;
  readonly slowStartMs: number;
  readonly #options: PoolOptions;
  readonly #watchers: readonly AttemptWatcher[];
  readonly #tiers: Tiers;
  readonly #revision: Revision;
  /** When the endpoints were last looked over. */
  #seen = -1;
  #endpoints: readonly Endpoint[];
  #absence: Absence | null;
  #affinity: Affinity | null;

  constructor(options: PoolOptions) {
    this.#options = options;
    this.name = options.name;
    this.hostPolicy = options.hostPolicy;
    this.breaker = options.breaker ?? null;
    this.retries = options.retries ?? new RetryAccount({ share: 0.2, minimumPerSecond: 3, windowMs: 10_000 });
    const { balancing, failover } = options;
    this.#tiers = new Tiers({ balancing, ...failover });
    this.#revision = options.revision;
    this.limit = options.limits?.keeper ?? null;
    this.outliers = options.outliers ?? null;
    this.slowStartMs = options.slowStartMs ?? 0;
    // The limit comes last: what it lets begin at an attempt's end finds everybody else through with that end.
    const all = [options.live.attempts, ...(options.watchers ?? []), balancing.watcher, this.outliers, this.limit];
    this.#watchers = all.filter((watcher) => watcher !== null);
    this.#endpoints = options.endpoints;
    this.#absence = options.absence ?? null;
    this.#affinity = options.affinity?.(options.endpoints) ?? null;
  }

  /** What became of attempts; `null` where nobody counts. */
  get attempts(): AttemptFigures | null {
    return this.#options.live.attempts;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#endpoints;
  }

  /** Why it has no endpoints; `null` when it has. */
  get absence(): Absence | null {
    return this.#absence;
  }

  get affinity(): Affinity | null {
    return this.#affinity;
  }

  /** Discovery has found these members, or why there are none. Attempts under way at others go on. */
  replace(endpoints: readonly Endpoint[], absence: Absence | null = null): void {
    this.#endpoints = endpoints;
    this.#absence = absence;
    this.#affinity = this.#options.affinity?.(endpoints) ?? null;
    this.#lookOver();
    // At last: it lets those begin who wait, and these pick among the new members.
    this.#limitEndpoints();
  }

  /** Its snapshot is the one that is served now: so its limits hold, and no older one's. */
  enforce(): void {
    const { limits } = this.#options;
    if (limits !== undefined && limits !== null) limits.keeper.adopt(limits.options);
    this.#limitEndpoints();
  }

  #limitEndpoints(): void {
    if (this.limit !== null) this.limit.limit(this.#endpoints);
    // They may have had one by an older configuration.
    else for (const { live } of this.#endpoints) live.limit = Number.POSITIVE_INFINITY;
  }

  /**
   * The endpoint for the next attempt: its session's while that can serve, else the balancer's choice. `null` when
   * none is left. Does not count it as in flight; `began` does. Allocates nothing.
   */
  pick(request: PickRequest): Endpoint | null {
    if (this.#revision.value !== this.#seen) this.#lookOver();
    if (this.#affinity !== null && request.session !== null) {
      const held = this.#affinity.pick(request.session, request.tried, this.#tiers.panicking);
      // Also without room: it is worth the wait (`mustWait`), since elsewhere it would not be the same session.
      if (held !== null) return held;
    }
    return this.#tiers.pick(request);
  }

  /**
   * Whom `pick` would choose now, where its session, its key, or that there is nobody else settles it; `null` where turns, loads or chance
   * decide. Changes nothing. Not for the request path.
   */
  settled(request: PickRequest): Settled | null {
    if (this.#revision.value !== this.#seen) this.#lookOver();
    const held =
      this.#affinity === null || request.session === null
        ? null
        : this.#affinity.peek(request.session, this.#tiers.panicking);
    return held === null ? this.#tiers.settled(request) : { endpoint: held, by: 'session' };
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
    return this.#current().size;
  }

  /** Too few endpoints are healthy: health is not asked for. */
  get panicking(): boolean {
    return this.#current().panicking;
  }

  /** The priorities that have somebody in service, with their shares of the traffic; first ones first. */
  get tiers(): readonly Tier[] {
    return this.#current().tiers;
  }

  #current(): Tiers {
    if (this.#revision.value !== this.#seen) this.#lookOver();
    return this.#tiers;
  }

  #lookOver(): void {
    this.#seen = this.#revision.value;
    const tiers = this.#tiers;
    tiers.lookOver(this.#endpoints);
    const { name: pool, live, observer } = this.#options;
    if (tiers.panicking === live.panicking) return;
    live.panicking = tiers.panicking;
    const inService = tiers.tiers.reduce((sum, tier) => sum + tier.inService, 0);
    const healthy = tiers.tiers.reduce((sum, tier) => sum + tier.healthy, 0);
    observer.event({ kind: 'panic', pool, panicking: tiers.panicking, inService, healthy });
  }
}
