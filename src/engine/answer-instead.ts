import type { CacheRequest, Lookup } from '../cache/lookup.ts';
import { serveEntry } from '../cache/serve.ts';
import type { StaleFind } from '../cache/stale.ts';
import { staleReport } from '../cache/status.ts';
import { GatewayError } from '../errors.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import { hasHeader } from '../http/headers.ts';
import { proxyStatus, proxyStatusReceived } from '../http/proxy-status.ts';
import type { Caching } from './caching.ts';
import type { FallbackDeed } from './fallback.ts';
import type { EngineParts } from './parts.ts';
import type { Progress } from './progress.ts';
import { respond } from './respond.ts';
import { deliverStored } from './serve.ts';
import type { RoutePlan } from './snapshot.ts';

/** Answers an exchange that no response came for: with a stored one, or with a fixed one that says why in `Proxy-Status`. */
export function answerInstead(
  deed: Exclude<FallbackDeed, { readonly kind: 'pool' }>,
  error: GatewayError,
  exchange: {
    readonly parts: EngineParts;
    readonly progress: Progress;
    readonly plan: RoutePlan;
    readonly caching: Caching | null;
  },
): void {
  const { parts, progress, plan, caching } = exchange;
  if (deed.kind === 'respond') {
    progress.blame(error);
    respond(progress, withCause(deed.make(progress), error), plan);
    return;
  }
  if (caching === null || caching.lookup.kind === 'bypass')
    throw new Error('Cannot answer from a cache that was not asked');
  answerStale(deed.found, error, { parts, progress, plan, lookup: caching.lookup, request: caching.request });
}

/** The same with what is stored: its `Proxy-Status` says what is wrong, although the client gets what it wants (RFC 9209 §2.1.1). */
export function answerStale(
  found: StaleFind,
  error: GatewayError,
  exchange: {
    readonly parts: EngineParts;
    readonly progress: Progress;
    readonly plan: RoutePlan;
    readonly lookup: Lookup & { readonly kind: 'miss' | 'revalidate' | 'complete' };
    readonly request: CacheRequest;
    /** Default `stale-fallback`. */
    readonly result?: 'stale-fallback' | 'stale-if-error';
  },
): void {
  const { parts, progress, plan, lookup, request, result = 'stale-fallback' } = exchange;
  const { entry, ttlMs } = found;
  const status = unwantedStatus(error);
  progress.cacheReport = staleReport(lookup, { result, ttlMs, status, detail: error.reason });
  const served = serveEntry(entry, request, parts.clock.now());
  served.head.headers.push('Proxy-Status', status === null ? proxyStatus(error.code) : proxyStatusReceived(status));
  deliverStored(progress, plan, served);
}

/** The log tells what went wrong, not only that the reply is a fixed one; a 503 of ours says when to come again. */
function withCause(reply: LocalReply, error: GatewayError): LocalReply {
  const { reason, code, retryAfterSeconds } = error;
  const tellsWhen =
    reply.status === 503 &&
    error.status === 503 &&
    retryAfterSeconds !== null &&
    !hasHeader(reply.headers, 'retry-after');
  const headers = tellsWhen ? [...reply.headers, 'Retry-After', String(retryAfterSeconds)] : reply.headers;
  return { ...reply, headers, reason, error: code };
}

/** An endpoint answered with a status that the route has something better for. */
export function unwanted(status: number): GatewayError {
  return new GatewayError('destination_unavailable', { blame: 'upstream', status: 502, reason: `status-${status}` });
}

export function isUnwanted({ reason }: GatewayError): boolean {
  return reason.startsWith('status-');
}

function unwantedStatus(error: GatewayError): number | null {
  return isUnwanted(error) ? Number(error.reason.slice('status-'.length)) : null;
}
