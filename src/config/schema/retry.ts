import { z } from 'zod';
import { duration, share, size } from './units.ts';

const ATTEMPTS = 'Attempts in total, hedges included; 1 for no retry';
const attempts = z.number().int().min(1).max(10);

const ON = 'What is retried: connect, reused, reset, timeout, and statuses of responses (docs/retries.md)';
const on = z
  .array(z.union([z.enum(['connect', 'reused', 'reset', 'timeout']), z.number().int().min(400).max(599)]))
  .min(1);

const ATTEMPT_TIMEOUT = 'From the beginning of each attempt to the head of its response; 0 for none but timeouts.head';
const BACKOFF = 'Pauses before retries';
const BASE = 'The first pause is anything up to this, each further one up to twice as much';
const MAX = 'No pause is longer';
const RETRY_AFTER = 'A Retry-After up to this is waited for; with a longer one the response goes to the client';
const BODY_BUFFER = 'Request bodies up to this size can be sent again; 0 for none';
const IDEMPOTENCY_KEY = 'A request with an Idempotency-Key may be sent twice, whatever its method';
const HEDGE = 'A second attempt for safe requests that take longer than most; false for none';

const hedge = z.union([
  z.literal(false),
  z.strictObject({
    quantile: share
      .refine((part) => part > 0 && part < 1, 'a quantile is above 0% and below 100%')
      .default(0.95)
      .describe('Share of the pool’s responses that would have begun before it starts'),
    max: z.number().int().min(1).max(3).default(1).describe('Hedges of one request'),
    minimum: duration.default(50).describe('It never starts earlier'),
  }),
]);

/** A route's own; what it leaves out is as in `defaults`. */
export const retry = z.strictObject({
  attempts: attempts.optional().describe(ATTEMPTS),
  on: on.optional().describe(ON),
  attemptTimeout: duration.optional().describe(ATTEMPT_TIMEOUT),
  backoff: z
    .strictObject({
      base: duration.optional().describe(BASE),
      max: duration.optional().describe(MAX),
      retryAfter: duration.optional().describe(RETRY_AFTER),
    })
    .optional()
    .describe(BACKOFF),
  bodyBuffer: size.optional().describe(BODY_BUFFER),
  idempotencyKey: z.boolean().optional().describe(IDEMPOTENCY_KEY),
  hedge: hedge.optional().describe(HEDGE),
});

/** For every route that says nothing else. */
export const retryDefaults = z.strictObject({
  attempts: attempts.default(3).describe(ATTEMPTS),
  on: on.default(['connect', 'reused']).describe(ON),
  attemptTimeout: duration.default(0).describe(ATTEMPT_TIMEOUT),
  backoff: z
    .strictObject({
      base: duration.default(25).describe(BASE),
      max: duration.default(250).describe(MAX),
      retryAfter: duration.default(5_000).describe(RETRY_AFTER),
    })
    .prefault({})
    .describe(BACKOFF),
  bodyBuffer: size.default(64 * 1024).describe(BODY_BUFFER),
  idempotencyKey: z.boolean().default(false).describe(IDEMPOTENCY_KEY),
  hedge: hedge.default(false).describe(HEDGE),
});

export type RouteRetryConfig = z.output<typeof retry>;
export type RetryConfig = z.output<typeof retryDefaults>;
