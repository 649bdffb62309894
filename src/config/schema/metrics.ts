import { z } from 'zod';
import { duration } from './units.ts';

/** Each bucket is a line for each route. */
const MOST_BUCKETS = 30;

/** How metrics are counted and shown. */
export const metrics = z
  .strictObject({
    buckets: z
      .array(duration)
      .min(1)
      .max(MOST_BUCKETS)
      .refine((buckets) => buckets.every((bound, i) => i === 0 || bound > (buckets[i - 1] as number)), {
        message: 'buckets must get longer from one to the next',
      })
      .prefault([
        ...['1ms', '2.5ms', '5ms', '10ms', '25ms', '50ms', '100ms', '250ms', '500ms'],
        ...['1s', '2.5s', '5s', '10s', '30s', '1m'],
      ])
      .describe('Upper ends of the buckets of histograms of durations'),
    seriesPerFamily: z
      .int()
      .min(100)
      .max(1_000_000)
      .default(10_000)
      .describe('Most series of one metric with names of their own; all others become one, with the name _other'),
  })
  .prefault({});
