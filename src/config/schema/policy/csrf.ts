import { z } from 'zod';
import { origin } from './origin.ts';

/** What other sites make browsers send is refused. */
export const csrf = z.strictObject({
  origins: z.array(origin).default([]).describe('Other origins that may: https://app.example, https://*.app.example'),
  sameSite: z.boolean().default(false).describe('Every host of the same site may (Sec-Fetch-Site: same-site)'),
  requireOrigin: z
    .boolean()
    .default(false)
    .describe('Refuse also who does not say where the request comes from: programs that are no browsers'),
  dryRun: z.boolean().default(false).describe('Refuse nothing, and say in the log what would be'),
});

export type CsrfPolicyConfig = z.output<typeof csrf>;
