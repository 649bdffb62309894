import { type Gcra, nextUnitMs, refillMs, remainingUnits } from './gcra.ts';

/*
 * `RateLimit` and `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10): lists of strings with parameters (RFC 9651). Names are
 * letters, digits, "_", "." and "-", and need no escapes.
 */

/**
 * `"default";q=100;w=1`: so many units at once, and the seconds in which an empty bucket is full again. Rounded up to a whole second,
 * which promises too little rather than too much.
 */
export function policyItem(name: string, gcra: Gcra): string {
  return `"${name}";q=${gcra.burst};w=${Math.max(1, Math.ceil(refillMs(gcra) / 1000))}`;
}

/** `"default";r=50;t=1`: units that are left, and the seconds until there is one more. Without `t` there is nothing to wait for. */
export function limitItem(name: string, gcra: Gcra, owed: number): string {
  const item = `"${name}";r=${remainingUnits(gcra, owed)}`;
  return owed === 0 ? item : `${item};t=${Math.ceil(nextUnitMs(gcra, owed) / 1000)}`;
}
