import { z } from 'zod';
import { respond } from './policies.ts';
import { duration, name, oneOrMore } from './units.ts';

const DAY_MS = 86_400_000;
/** Every failure of the pool itself. */
const FAILURES = ['breaker', 'unavailable', 'overload', 'connect', 'reset', 'timeout'] as const;

const step = z
  .union([
    z.literal('stale').transform(() => ({ stale: { maxAge: DAY_MS } })),
    z.strictObject({ pool: name.describe('Ask this pool in its place, if the request can be sent again') }),
    z.strictObject({
      stale: z
        .strictObject({ maxAge: duration.default(DAY_MS).describe('No older than this; 0 for any age') })
        .describe('Answer with what is stored of this route, however stale, unless its origin forbids that'),
    }),
    z.strictObject({ respond: respond.describe('Answer with a fixed response') }),
  ])
  .meta({ description: 'stale, { stale: { maxAge } }, { pool: NAME } or { respond: {…} }' });

const steps = z.array(step).min(1);

const on = oneOrMore(z.union([z.enum(FAILURES), z.number().int().min(400).max(599)]));

/** What to do when no response comes from the pool of a route. */
export const fallback = z
  .union([
    steps.transform((list) => ({ on: [...FAILURES] as z.output<typeof on>, steps: list, asList: true })),
    z
      .strictObject({
        on: on
          .default([...FAILURES])
          .describe('breaker, unavailable, overload, connect, reset, timeout, and statuses of responses'),
        steps: steps.describe('In this order, until one of them can answer'),
      })
      .transform((given) => ({ ...given, asList: false })),
  ])
  .meta({ description: 'A list of steps, or { on, steps }' });

export type FallbackConfig = z.output<typeof fallback>;
