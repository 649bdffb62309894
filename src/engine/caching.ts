import type { Lead } from '../cache/flights.ts';
import type { CacheRequest, Lookup } from '../cache/lookup.ts';
import type { CachePolicy } from '../cache/policy.ts';
import type { Unstored } from '../cache/status.ts';
import type { CacheWish } from './outbound.ts';

/** How the answer of the endpoint relates to the cache. */
export interface Caching {
  readonly policy: CachePolicy;
  readonly request: CacheRequest;
  readonly lookup: Exclude<Lookup, { readonly kind: 'hit' | 'unsatisfiable' }>;
  /** To be told what comes of the request; not given where nobody else may be interested. */
  readonly lead?: Lead;
  /** Why nothing of the answer is stored, whatever it says; not given where it may be. */
  readonly unstored?: Unstored;
}

/** `null` where the client's request is as good as any. */
export function wishOf({ lookup, policy }: Caching): CacheWish | null {
  if (lookup.kind === 'bypass') return null;
  const conditional = 'conditional' in lookup ? lookup.conditional : null;
  return conditional === null && !policy.wholeRanges ? null : { conditional, whole: policy.wholeRanges };
}

/** Nothing stored is left to be validated: what comes now is a miss. */
export function withoutEntry(caching: Caching): Caching {
  const { lookup } = caching;
  if (lookup.kind !== 'revalidate' && lookup.kind !== 'complete') return caching;
  const why = lookup.kind === 'complete' ? 'partial' : 'stale';
  return { ...caching, lookup: { kind: 'miss', why, epoch: lookup.epoch } };
}
