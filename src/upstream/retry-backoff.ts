export interface Backoff {
  /** The first pause is at most this long; 0 for none at all. */
  readonly baseMs: number;
  /** No pause is longer. */
  readonly maxMs: number;
  /** A `Retry-After` that asks for more than this is not waited for. */
  readonly retryAfterMs: number;
}

/**
 * The pause before retry number `retry` (from 1), in milliseconds: anything between 0 and min(max, base × 2^(retry - 1)), so
 * that exchanges which failed together do not come back together ("full jitter", Brooker, Exponential Backoff And Jitter,
 * AWS 2015).
 */
export function backoffMs({ baseMs, maxMs }: Backoff, retry: number, random: () => number): number {
  return random() * Math.min(maxMs, baseMs * 2 ** Math.min(retry - 1, 30));
}
