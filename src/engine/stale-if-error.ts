import { findStaleIfError, type StaleFind } from '../cache/stale.ts';
import type { GatewayError } from '../errors.ts';
import { answerStale } from './answer-instead.ts';
import type { Caching } from './caching.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan } from './snapshot.ts';

/** An exchange that no response came for, or none but an error. */
export interface FailedExchange {
  readonly parts: EngineParts;
  readonly progress: Progress;
  readonly plan: RoutePlan;
  readonly caching: Caching | null;
}

/** RFC 5861 §4: these statuses are an error. */
export function isServerError(status: number): boolean {
  return status === 500 || status === 502 || status === 503 || status === 504;
}

/** What may be served in place of an error (RFC 5861 §4); `null` for nothing, and for a refresh, which has no client to serve. */
export function staleForError({ parts, progress, caching }: FailedExchange): StaleFind | null {
  if (caching === null || caching.lookup.kind === 'bypass' || progress.isRefresh) return null;
  const { store } = progress.edition.snapshot.cache;
  return findStaleIfError(store, caching.request, caching.policy, parts.clock.now());
}

/** Serves it. The log tells of the failure as of a fallback; the exchange ends well. */
export function serveStaleForError(found: StaleFind, error: GatewayError, failed: FailedExchange): void {
  const { parts, progress, plan, caching } = failed;
  if (caching === null || caching.lookup.kind === 'bypass')
    throw new Error('Cannot answer from a cache that was not asked');
  progress.fallback = { kind: 'stale', why: error.reason };
  const { lookup, request } = caching;
  answerStale(found, error, { parts, progress, plan, lookup, request, result: 'stale-if-error' });
}
