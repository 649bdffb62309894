import { GatewayError } from '../../errors.ts';

/** Why a request got no turn at a pool. `shed`: others were served in its place, under standing delay or because they matter more. */
export type LimitReason = 'queue-full' | 'queue-timeout' | 'shed';

/** Nobody is to blame but the load: no endpoint was asked. `seconds` go into `Retry-After`. */
export function refusal(reason: LimitReason, seconds: number | null): GatewayError {
  return new GatewayError('connection_limit_reached', {
    blame: 'gateway',
    status: 503,
    reason,
    retryAfterSeconds: seconds,
  });
}
