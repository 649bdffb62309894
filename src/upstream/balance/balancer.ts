import type { Endpoint } from '../endpoint.ts';

/** What a balancer may know of the request. The engine's own record of an exchange can be passed as it is. */
export interface BalanceRequest {
  /** Effective client address, canonical IP text. */
  readonly clientAddress: string;
  /** Endpoints that earlier attempts of this exchange failed on, not to be picked again; `null` for none. */
  readonly tried: readonly Endpoint[] | null;
}

/** Chooses one endpoint of its pool for each attempt. */
export interface Balancer {
  /** An available endpoint that was not tried yet, or `null` when there is none. Synchronous; allocates nothing. */
  pick(request: BalanceRequest): Endpoint | null;
}

/** Whose turn it is in a pool. Kept by the ledger under the pool's name, so that a reload does not begin at the first again. */
export interface Cursor {
  /** Index of the endpoint to look at first; may be past the end after a reload made the pool smaller. */
  next: number;
}

export function createCursor(): Cursor {
  return { next: 0 };
}

/** Linear: `tried` has at most as many members as the exchange has attempts, ten. */
export function wasTried(endpoint: Endpoint, tried: readonly Endpoint[] | null): boolean {
  return tried?.includes(endpoint) ?? false;
}
