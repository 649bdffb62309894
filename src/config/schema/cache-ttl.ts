import { z } from 'zod';
import { duration, valueForms } from './units.ts';

const status = z
  .string()
  .regex(/^(?:[2-5]\d\d|[2-5]xx|any)$/, 'a status is 200 to 599, a class 2xx to 5xx, and everything else is "any"')
  .register(valueForms, { kind: 'word', noun: 'a status', form: '404, 5xx or any' });

/** For how long responses are fresh. */
export const cacheTtl = z
  .union([
    duration,
    z.record(status, duration).refine((given) => !('304' in given), {
      message: '304 is never stored: it confirms what is',
      path: ['304'],
    }),
  ])
  .meta({
    description: 'A duration for what was found, or durations by status: { 200: 1h, 404: 10s, 5xx: 1s, any: 1m }',
  });

export type CacheTtlConfig = z.output<typeof cacheTtl>;
