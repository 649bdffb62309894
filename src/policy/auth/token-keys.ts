/** A key that signatures of tokens are verified with. */
export interface TokenKey {
  /** As the issuer calls it; `null` for one without a name. */
  readonly kid: string | null;
  /** What it may verify (RFC 7518 §3.1, RFC 8037 §3.1): of its own kind only, so that a public key is never taken for a shared secret. */
  readonly algorithms: ReadonlySet<string>;
  /** Did this key sign `token`, a compact JWS, with `algorithm`? Never rejects. */
  verify(token: string, algorithm: string): Promise<boolean>;
}

/** Keys that are in force together. Another object means other keys: what the old ones verified is verified again. */
export interface KeySet {
  readonly keys: readonly TokenKey[];
}

/** `found`: look again. `missing`: the issuer was asked after the token came, and knows no such key. `unavailable`: nobody can tell. */
export type Sought = 'found' | 'missing' | 'unavailable';

export interface KeySource {
  /** For people: `https://issuer.example/jwks`, `keys.json`. Nothing secret. */
  readonly name: string;
  /** `null` while no keys are known. */
  readonly current: KeySet | null;
  /**
   * Asks the issuer for a key of this name; `null` for any that is new. `done` is called once, also before this returns. What is returned
   * lets go: `done` is not called after it. `null`: there is nobody to be asked.
   */
  readonly seek: ((kid: string | null, done: (sought: Sought) => void) => () => void) | null;
  /** When it may be worth while to come again, whole seconds from 1. */
  readonly retryAfterSeconds: number;
}

/** Verifying is cheap for who sends a token without a name in it and dear for who tries them all. */
const MAX_CANDIDATES = 8;

/** Keys that may have signed it: of that name, else those without one, and fit for the algorithm; at most 8. */
export function candidates({ keys }: KeySet, kid: string | null, algorithm: string): readonly TokenKey[] {
  const fit = keys.filter((key) => key.algorithms.has(algorithm));
  if (kid === null) return fit.slice(0, MAX_CANDIDATES);
  const named = fit.filter((key) => key.kid === kid);
  return (named.length > 0 ? named : fit.filter((key) => key.kid === null)).slice(0, MAX_CANDIDATES);
}
