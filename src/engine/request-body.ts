import type { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import { limitBody } from '../policy/body-limit.ts';
import type { Pool } from '../upstream/pool.ts';
import { withoutIdentityTrailers } from './identity-names.ts';
import type { ReplayMemory } from './kept-chunks.ts';
import type { Progress } from './progress.ts';
import { ReplayBody } from './replay-body.ts';
import { isRepeatable } from './retrying.ts';
import type { RoutePlan } from './snapshot.ts';

/** Why a body ends before its end: it is larger than is allowed. */
export interface OverLimit {
  error: GatewayError | null;
}

/** The request's body, which is not empty, as it goes upstream. `over` hears of one that is larger than is allowed. */
export function bodyToSend(progress: Progress, over: OverLimit): BodySource {
  const source = ofClient(progress);
  const limit = progress.bodyLimitBytes;
  // An announced length was checked before; what is not announced is counted as it flows.
  if (limit === null || source.length !== null) return source;
  return limitBody(source, limit, (error) => {
    over.error = error;
  });
}

function ofClient({ requestBody, edition, request }: Progress): BodySource {
  const { identityFields } = edition.snapshot;
  // Only what is chunked has trailers in HTTP/1.1 (RFC 9112 §7.1.2).
  const hasTrailers = requestBody.length === null || request.version === '2';
  return identityFields === null || !hasTrailers ? requestBody : withoutIdentityTrailers(requestBody, identityFields);
}

/**
 * `body` so that it can be sent again, where a retry after some of it was sent is possible at all: the request may be
 * repeated, or the endpoint can say that it has not looked at it (RFC 9113 §8.7). `null` where it is not.
 */
export function keepForRetry(
  body: BodySource,
  way: {
    readonly progress: Progress;
    readonly plan: RoutePlan;
    readonly pool: Pool;
    readonly memory: ReplayMemory;
  },
): ReplayBody | null {
  const { progress, plan, pool } = way;
  const { retry: policy } = plan;
  if (
    (policy.attempts === 1 && plan.fallback?.asksPools !== true) ||
    policy.bodyBytes === 0 ||
    progress.exchange.upgrade !== null
  )
    return null;
  if (body.length !== null && body.length > policy.bodyBytes) return null;
  const { protocol = 'http1' } = pool.endpoints[0]?.destination ?? {};
  const canRefuse = protocol !== 'http1';
  return canRefuse || isRepeatable(progress, policy) ? new ReplayBody(body, policy.bodyBytes, way.memory) : null;
}
