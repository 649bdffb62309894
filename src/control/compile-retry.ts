import type { RetryConfig, RouteRetryConfig } from '../config/schema/retry.ts';
import type { RetryPolicy } from '../upstream/retry.ts';

/** A route's retries: what it says itself, the rest from `defaults`. */
export function compileRetry(own: RouteRetryConfig | undefined, defaults: RetryConfig): RetryPolicy {
  const on = own?.on ?? defaults.on;
  const statuses = on.filter((item) => typeof item === 'number');
  const hedge = own?.hedge ?? defaults.hedge;
  return {
    attempts: own?.attempts ?? defaults.attempts,
    connect: on.includes('connect'),
    reused: on.includes('reused'),
    reset: on.includes('reset'),
    timeout: on.includes('timeout'),
    statuses: statuses.length === 0 ? null : new Set(statuses),
    attemptTimeoutMs: own?.attemptTimeout ?? defaults.attemptTimeout,
    backoff: {
      baseMs: own?.backoff?.base ?? defaults.backoff.base,
      maxMs: own?.backoff?.max ?? defaults.backoff.max,
      retryAfterMs: own?.backoff?.retryAfter ?? defaults.backoff.retryAfter,
    },
    bodyBytes: own?.bodyBuffer ?? defaults.bodyBuffer,
    idempotencyKey: own?.idempotencyKey ?? defaults.idempotencyKey,
    hedge: hedge === false ? null : { quantile: hedge.quantile, max: hedge.max, minimumMs: hedge.minimum },
  };
}
