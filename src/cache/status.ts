import type { CacheReport } from '../exchange/outcome.ts';
import { cacheStatus } from '../http/cache-status.ts';
import type { Lookup } from './lookup.ts';
import type { Storability } from './storability.ts';

/** `headgate; hit; ttl=12`, with the freshness that was left when the answer was chosen; negative when stale (RFC 9211 §2.1, §2.4). */
export function hitReport({ ttlMs, refresh }: Lookup & { readonly kind: 'hit' }): CacheReport {
  const header = cacheStatus({ result: 'hit', ttlS: Math.floor(ttlMs / 1000) });
  if (refresh) return { result: 'stale-while-revalidate', why: null, notStored: null, header };
  return { result: ttlMs > 0 ? 'hit' : 'stale', why: null, notStored: null, header };
}

/** `headgate; fwd=stale; ttl=-30; detail=connection_refused`: it was to be forwarded, and what is stored had to do. */
export function staleReport(
  { why }: Lookup & { readonly kind: 'miss' | 'revalidate' | 'complete' },
  facts: {
    readonly result: 'stale-fallback' | 'stale-if-error';
    readonly ttlMs: number;
    /** Of an endpoint's answer that was not wanted; `null` when there was none. */
    readonly status: number | null;
    readonly detail: string;
  },
): CacheReport {
  const { result, status, ttlMs, detail } = facts;
  const fwdStatus = status ?? undefined;
  const header = cacheStatus({ result: 'fwd', fwd: why, fwdStatus, ttlS: Math.floor(ttlMs / 1000), detail });
  return { result, why, notStored: null, header };
}

/** `headgate; fwd=stale; detail=fallback`: another pool was asked, and what it says is not stored. */
export function fallbackReport({ lookup }: Pick<ForwardFacts, 'lookup'>): CacheReport {
  if (lookup.kind === 'bypass') return forwardReport({ lookup, status: null, verdict: null });
  const header = cacheStatus({ result: 'fwd', fwd: lookup.why, detail: 'fallback' });
  return { result: 'fallback', why: lookup.why, notStored: 'fallback', header };
}

/**
 * Of a request which no stored response could answer (RFC 9111 §5.2.1.7): neither a hit nor forwarded. For the log: the 504 is made
 * here, and a `Cache-Status` is not for what a gateway generates itself (RFC 9211 §2).
 */
export const unsatisfiableReport: CacheReport = Object.freeze({
  result: 'unsatisfiable',
  why: 'only-if-cached',
  notStored: null,
  header: 'headgate; detail=only-if-cached',
});

/** `headgate; fwd=uri-miss; collapsed`: another request for the same was under way, and its answer did for both (RFC 9211 §2.6). */
export function collapsedReport({ why }: Lookup & { readonly kind: 'miss' | 'revalidate' | 'complete' }): CacheReport {
  return {
    result: 'collapsed',
    why,
    notStored: null,
    header: cacheStatus({ result: 'fwd', fwd: why, collapsed: true }),
  };
}

/**
 * Why a response is not stored that may be. `fills-full`: others that are being stored left no memory for it. `collapse-full`,
 * `collapse-timeout`: the client was to wait for another one's answer, with too many others, or for too long.
 */
export type Unstored = 'fills-full' | 'collapse-full' | 'collapse-timeout';

/** A response that came from an endpoint because the cache had no answer. */
export interface ForwardFacts {
  readonly lookup: Exclude<Lookup, { readonly kind: 'hit' | 'unsatisfiable' }>;
  /** Status that the endpoint sent; `null` where it is that of the response, whatever that will be (RFC 9211 §2.3). */
  readonly status: number | null;
  /** What `storability` said, or `null` where it was not asked (bypass). */
  readonly verdict: Storability | { readonly store: false; readonly why: Unstored } | null;
}

/** `headgate; fwd=uri-miss; fwd-status=200; stored`, or with `detail` for why it is not stored (RFC 9211 §2.2–§2.8). */
export function forwardReport({ lookup, status, verdict }: ForwardFacts): CacheReport {
  const { why } = lookup;
  const fwdStatus = status ?? undefined;
  if (lookup.kind === 'bypass') {
    const fwd = lookup.why === 'method' ? 'method' : 'bypass';
    const detail = lookup.why === 'method' ? undefined : lookup.why;
    return {
      result: 'bypass',
      why,
      notStored: null,
      header: cacheStatus({ result: 'fwd', fwd, fwdStatus, detail }),
    };
  }
  const stored = verdict?.store === true;
  const notStored = verdict === null || verdict.store ? null : verdict.why;
  const header = cacheStatus({
    result: 'fwd',
    fwd: lookup.why,
    fwdStatus,
    stored,
    detail: notStored ?? undefined,
  });
  return { result: 'miss', why, notStored, header };
}

/** `headgate; fwd=stale; fwd-status=304; stored; ttl=60`: the endpoint confirmed what was stored. */
export function revalidatedReport(
  { why }: Lookup & { readonly kind: 'revalidate' },
  facts: { readonly stored: boolean; readonly freshMs: number; readonly ageMs: number },
): CacheReport {
  const { stored } = facts;
  const ttlS = Math.floor((facts.freshMs - facts.ageMs) / 1000);
  const header = cacheStatus({ result: 'fwd', fwd: why, fwdStatus: 304, stored, ttlS });
  return { result: 'revalidated', why, notStored: null, header };
}
