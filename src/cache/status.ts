import { cacheStatus } from '../http/cache-status.ts';
import type { Lookup } from './lookup.ts';
import type { Storability } from './policy.ts';

/** `headgate; hit; ttl=12`, with the freshness that was left when the answer was chosen (RFC 9211 §2.1, §2.4). */
export function hitStatus(found: Lookup & { readonly kind: 'hit' }): string {
  return cacheStatus({ result: 'hit', ttlS: Math.floor(found.ttlMs / 1000) });
}

/** `headgate; fwd=stale; ttl=-30; detail=connection_refused`: it was to be forwarded, and what is stored had to do. */
export function staleStatus(
  { why }: Lookup & { readonly kind: 'miss' | 'revalidate' },
  facts: { readonly ttlMs: number; readonly detail: string },
): string {
  return cacheStatus({ result: 'fwd', fwd: why, ttlS: Math.floor(facts.ttlMs / 1000), detail: facts.detail });
}

/** `headgate; fwd=stale; detail=fallback`: another pool was asked, and what it says is not stored. */
export function fallbackStatus({ lookup }: Pick<ForwardFacts, 'lookup'>): string {
  if (lookup.kind === 'bypass') return forwardStatus({ lookup, status: 0, verdict: null });
  return cacheStatus({ result: 'fwd', fwd: lookup.why, detail: 'fallback' });
}

/** On the 504 that answers a request which no stored response could (RFC 9111 §5.2.1.7): neither a hit nor forwarded. */
export function unsatisfiableStatus(): string {
  return 'headgate; detail=only-if-cached';
}

/** A response that came from an endpoint because the cache had no answer. */
export interface ForwardFacts {
  readonly lookup: Exclude<Lookup, { readonly kind: 'hit' | 'unsatisfiable' }>;
  /** Status that the endpoint sent. */
  readonly status: number;
  /** What `storability` said, or `null` where it was not asked (bypass). */
  readonly verdict: Storability | null;
}

/** `headgate; fwd=uri-miss; fwd-status=200; stored`, or with `detail` for why it is not stored (RFC 9211 §2.2–§2.8). */
export function forwardStatus(facts: ForwardFacts): string {
  const { lookup, status, verdict } = facts;
  if (lookup.kind === 'bypass') {
    if (lookup.why === 'method') return cacheStatus({ result: 'fwd', fwd: 'method', fwdStatus: status });
    return cacheStatus({ result: 'fwd', fwd: 'bypass', fwdStatus: status, detail: lookup.why });
  }
  const stored = verdict?.store === true;
  const detail = verdict === null || verdict.store ? undefined : verdict.why;
  return cacheStatus({ result: 'fwd', fwd: lookup.why, fwdStatus: status, stored, detail });
}

/** `headgate; fwd=stale; fwd-status=304; stored; ttl=60`: the endpoint confirmed what was stored. */
export function revalidatedStatus(
  lookup: Lookup & { readonly kind: 'revalidate' },
  facts: { readonly stored: boolean; readonly freshMs: number; readonly ageMs: number },
): string {
  return cacheStatus({
    result: 'fwd',
    fwd: lookup.why,
    fwdStatus: 304,
    stored: facts.stored,
    ttlS: Math.floor((facts.freshMs - facts.ageMs) / 1000),
  });
}
