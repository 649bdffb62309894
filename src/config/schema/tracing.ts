import { z } from 'zod';
import { share } from './units.ts';

const sample = share.describe('Share of the traces that is recorded, of those that nobody trusted has decided about');

export const tracing = z.strictObject({
  sample: sample.default(1),
  trustClients: z
    .boolean()
    .default(false)
    .describe('Every client may say whether its trace is recorded, not only those in trustedProxies'),
});

/** What a route may have otherwise. */
export const routeTracing = z.strictObject({ sample });

export type TracingConfig = z.output<typeof tracing>;
