import { z } from 'zod';
import { duration, share } from '../units.ts';

export const retryBudget = z
  .strictObject({
    share: share.default(0.2).describe('Retries and hedges for each request'),
    minimum: z.number().min(0).max(1000).default(3).describe('So many a second are always allowed'),
    window: duration
      .refine((ms) => ms >= 1_000, 'a window is 1s at least')
      .default(10_000)
      .describe('How far back both are counted'),
  })
  .prefault({});

export type RetryBudgetConfig = z.output<typeof retryBudget>;
