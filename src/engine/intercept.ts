import { GatewayError } from '../errors.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader } from '../http/headers.ts';
import { parseRetryAfter } from '../http/retry-after.ts';
import type { Progress } from './progress.ts';

const REASON = 'intercepted-status';

/** Why a page of the configuration’s own goes out in place of an endpoint's error, with the same status; `null` when the response is sent as it is. */
export function intercepted(progress: Progress, { status, headers }: ResponseHead, nowMs: number): GatewayError | null {
  const intercepts = progress.policies?.errorPages?.intercepts ?? null;
  if (intercepts === null || !intercepts.has(status) || progress.isRefresh) return null;
  const asked = getHeader(headers, 'retry-after');
  const waitMs = asked === null ? null : parseRetryAfter(asked, nowMs);
  return new GatewayError('destination_unavailable', {
    blame: 'upstream',
    status,
    reason: REASON,
    retryAfterSeconds: waitMs === null ? null : Math.max(1, Math.ceil(waitMs / 1000)),
  });
}

/** It was answered, so that nobody else is to be asked. */
export function isIntercepted({ reason }: GatewayError): boolean {
  return reason === REASON;
}
