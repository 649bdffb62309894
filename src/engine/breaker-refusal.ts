import { GatewayError } from '../errors.ts';
import type { Breaker } from '../upstream/breaker/breaker.ts';

/** Why a pool with this breaker takes no request now; `null` when it does. Counts the refusal. */
export function breakerRefusal(breaker: Breaker): GatewayError | null {
  if (breaker.admits) return null;
  breaker.refuse();
  return new GatewayError('destination_unavailable', {
    blame: 'upstream',
    status: 503,
    reason: 'breaker-open',
    retryAfterSeconds: breaker.retryAfterSeconds,
  });
}
