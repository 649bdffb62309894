import { z } from 'zod';
import { duration, isMap, share } from '../units.ts';
import { failureStatuses } from './failure-statuses.ts';

const part = share.refine((value) => value > 0, 'a share above 0; leave the key out for no such condition');

export const breaker = z
  .strictObject({
    scope: z
      .enum(['pool', 'endpoint', 'both'])
      .default('pool')
      .describe('What trips: the pool, which then refuses; an endpoint, which is then passed over; or each for itself'),
    errorRatio: part.optional().describe('Share of attempts that fail; 50% unless another condition is given'),
    consecutive: z.number().int().min(1).max(10_000).optional().describe('Failures in a row'),
    latency: z
      .strictObject({
        slower: duration
          .refine((ms) => ms > 0, 'a duration above 0')
          .describe('A response head that takes longer is slow'),
        share: part.default(0.5).describe('Share of responses that are slow'),
      })
      .optional()
      .describe('Slow responses'),
    minimum: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe('Attempts in the window below which no share counts'),
    window: duration
      .refine((ms) => ms >= 1_000, 'a window is 1s at least')
      .default(10_000)
      .describe('What the shares are taken of: the last …'),
    open: duration
      .refine((ms) => ms > 0, 'a duration above 0')
      .default(5_000)
      .describe('Tripped for this long, ±20 %; twice as long each further time in a row'),
    maxOpen: duration.default(60_000).describe('And never longer than this'),
    probes: z.number().int().min(1).max(1_000).default(1).describe('Requests at once while it probes'),
    successes: z.number().int().min(1).max(1_000).default(3).describe('Good responses to probes until it passes'),
    statuses: failureStatuses,
  })
  .refine(({ open, maxOpen }) => maxOpen >= open, {
    message: '“maxOpen” is shorter than “open”',
    when: isMap,
  })
  .meta({ description: 'Circuit breaker' });

export type BreakerConfig = z.output<typeof breaker>;
