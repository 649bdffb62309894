import type { Gcra } from './gcra.ts';

/** One limit that a request has to pass at a store. */
export interface Claim {
  /** Tells limit and key from all others of whoever uses the store; nothing of the request is in it in clear. */
  readonly key: string;
  readonly gcra: Gcra;
  /** Units. */
  readonly cost: number;
  /** It counts, and never refuses. */
  readonly watches: boolean;
}

/**
 * Ticks (of its own claim) that each key owed when the store looked. If all claims that may refuse were admitted, each that was has
 * been taken, at once with that look.
 */
export type Owed = readonly number[];

/** Counts for several gateways together. */
export interface RateStore {
  /** For people, without credentials: `redis://10.0.0.5:6379`. */
  readonly address: string;
  /** False while nobody should wait for it: it is lost, or too many do already. Costs nothing. */
  readonly available: boolean;
  /** `done` is called once, within the timeout of the store, perhaps before this returns; `null`: it has not said. */
  take(claims: readonly Claim[], done: (owed: Owed | null) => void): void;
}
