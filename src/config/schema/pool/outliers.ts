import { z } from 'zod';
import { duration, isMap, share } from '../units.ts';
import { failureStatuses } from './failure-statuses.ts';

const positive = duration.refine((ms) => ms > 0, 'a duration above 0');

export const outliers = z
  .strictObject({
    consecutive: z.number().int().min(0).max(10_000).default(5).describe('Failures in a row; 0 for no such condition'),
    errorRatio: share
      .default(0.5)
      .describe(
        'Share of its requests in an interval that fail, and twice that of the others; 0 for no such condition',
      ),
    latency: z
      .strictObject({
        times: z
          .number()
          .min(1.1)
          .max(1_000)
          .default(3)
          .describe('Response heads that typically take this many times as long as those of the others'),
        least: duration.default(50).describe('And at least so much longer'),
      })
      .optional()
      .describe('Slow response heads; {} for the defaults, off unless given'),
    minimum: z
      .number()
      .int()
      .min(1)
      .max(1_000_000)
      .default(20)
      .describe('Requests to it in an interval below which neither errorRatio nor latency counts'),
    interval: positive.default(10_000).describe('How long requests are counted before endpoints are compared'),
    ejection: positive.default(30_000).describe('Put aside for this long; twice as long each further time in a row'),
    maxEjection: duration.default(300_000).describe('And never longer than this'),
    maxEjected: share
      .default(0.5)
      .describe('Share of the pool that may be put aside at once; one endpoint always stays'),
    statuses: failureStatuses,
  })
  .refine(({ ejection, maxEjection }) => maxEjection >= ejection, {
    message: '“maxEjection” is shorter than “ejection”',
    when: isMap,
  })
  .meta({ description: 'Passive health: endpoints that do worse than the others are put aside' });

export type OutliersConfig = z.output<typeof outliers>;
