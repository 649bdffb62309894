import type { CacheDirectives } from '../http/cache-control.ts';
import type { CachePolicy } from './policy.ts';

/** How long a response may be served stale, in milliseconds from the end of its freshness; 0 for not at all. */
export interface StaleAllowance {
  /** While it is refreshed in the background (RFC 5861 §3). */
  readonly staleWhileRevalidateMs: number;
  /** While its endpoint fails (§4). */
  readonly staleIfErrorMs: number;
}

const none: StaleAllowance = Object.freeze({ staleWhileRevalidateMs: 0, staleIfErrorMs: 0 });

/**
 * What a response says of itself, or the route for a response that says nothing. Neither counts against `no-cache`,
 * `must-revalidate`, `proxy-revalidate` and `s-maxage`, which forbid a shared cache to serve anything stale (RFC 9111 §4.2.4).
 */
export function staleAllowance(directives: CacheDirectives, policy: CachePolicy): StaleAllowance {
  const { noCache, mustRevalidate, proxyRevalidate, sMaxAgeS, staleWhileRevalidateS, staleIfErrorS } = directives;
  if (noCache || mustRevalidate || proxyRevalidate || sMaxAgeS !== null) return none;
  return {
    staleWhileRevalidateMs:
      staleWhileRevalidateS === null ? policy.staleWhileRevalidateMs : staleWhileRevalidateS * 1000,
    staleIfErrorMs: staleIfErrorS === null ? policy.staleIfErrorMs : staleIfErrorS * 1000,
  };
}
