import { serveEntry } from '../cache/serve.ts';
import { staleReport } from '../cache/status.ts';
import { GatewayError } from '../errors.ts';
import type { LocalReply } from '../exchange/local-reply.ts';
import { hasHeader } from '../http/headers.ts';
import type { Caching } from './decide.ts';
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
  const { entry, ttlMs } = deed.found;
  progress.cacheReport = staleReport(caching.lookup, { ttlMs, detail: error.reason });
  deliverStored(progress, plan, serveEntry(entry, caching.request, parts.clock.now()));
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
