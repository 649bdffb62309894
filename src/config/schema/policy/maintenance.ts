import { z } from 'zod';
import { cidr, duration, isMap } from '../units.ts';

const DAY_MS = 86_400_000;

/** Out of service, by the configuration or a file; and who is served even so, whoever has switched it. */
export const maintenance = z
  .strictObject({
    enabled: z.boolean().default(false).describe('Out of service: 503 with Retry-After'),
    whileFile: z.string().min(1).optional().describe('Out of service while there is a file of this name'),
    retryAfter: duration
      .refine((ms) => ms >= 1000 && ms <= DAY_MS, '1s at least, and 1d at most')
      .default(60_000)
      .describe('When clients are told to come again: 1s to 1d'),
    allow: z
      .array(cidr)
      .default([])
      .describe('Clients that are served meanwhile; also when an operator has switched it (headgate maintenance)'),
  })
  .refine(({ enabled, whileFile, allow }) => enabled !== false || whileFile !== undefined || allow?.length !== 0, {
    message: 'this does nothing: give enabled: true, whileFile or allow',
    when: isMap,
  });

export type MaintenancePolicyConfig = z.output<typeof maintenance>;
