import type { RequestHead } from '../../exchange/exchange.ts';
import type { Endpoint } from '../endpoint.ts';

/** What of a request may be hashed. The engine's own record of an exchange can be passed as it is. */
export interface RequestFacts {
  /** Canonical path as the client asked for it. */
  readonly path: string;
  /** As sent, without "?"; `null` when there is none. */
  readonly query: string | null;
  readonly request: RequestHead;
}

/** What a balancer may know of whom it picks for. */
export interface BalanceRequest {
  /** Effective client address, canonical IP text. */
  readonly clientAddress: string;
  /** `null` for a connection that is forwarded as it is. Read by balancers that hash, and by nobody else. */
  readonly facts: RequestFacts | null;
  /** Endpoints that earlier attempts of this exchange failed on, not to be picked again; `null` for none. */
  readonly tried: readonly Endpoint[] | null;
}

/** Who may be picked: healthy (or the pool panics), not taken out by hand, with a share of the traffic. */
export interface Candidates {
  /** In the order of the configuration. */
  readonly endpoints: readonly Endpoint[];
  /** Of each, above 0, with what was changed by hand and a slow start taken in. */
  readonly weights: Float64Array;
}

/** Chooses one endpoint of a tier for each attempt. */
export interface Balancer {
  /** From now on these are the candidates. Called when they have changed, before the first pick too; not for each pick. */
  update(candidates: Candidates): void;
  /**
   * A candidate that was not tried yet and is below its limit, or `null` when there is none. Synchronous; allocates nothing;
   * below 0.3 µs with a hundred candidates, but for what has to be looked up again after a change (`ConsistentHash`).
   */
  pick(request: BalanceRequest): Endpoint | null;
  /**
   * Whom `pick` would choose now, where that follows from the request, and not from turns, loads or chance; else `null`. Changes
   * nothing. Not there for a method of which it never does.
   */
  settled?(request: BalanceRequest): Endpoint | null;
}

/** Whose turn it is in a pool. Kept by the ledger under the pool's name, so that a reload does not begin at the first again. */
export interface Cursor {
  /** Index of the candidate to look at first; may be past the end after the pool has become smaller. */
  next: number;
}

export function createCursor(): Cursor {
  return { next: 0 };
}

/** Linear: `tried` has at most as many members as the exchange has attempts, ten. */
export function wasTried(endpoint: Endpoint, tried: readonly Endpoint[] | null): boolean {
  return tried?.includes(endpoint) ?? false;
}

/** A candidate, but not for this request or not just now: tried already, or at its limit. */
export function isPassedOver(endpoint: Endpoint, tried: readonly Endpoint[] | null): boolean {
  return endpoint.live.inFlight >= endpoint.live.limit || (tried?.includes(endpoint) ?? false);
}

export const noCandidates: Candidates = { endpoints: [], weights: new Float64Array() };
