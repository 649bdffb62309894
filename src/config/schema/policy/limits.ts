import { z } from 'zod';
import { size } from '../units.ts';

/** Of one route. What a listener does not take in the first place no route can let in, the body aside. */
export const limits = z
  .strictObject({
    body: size.optional().describe('Request body, in place of the listener’s; more is 413'),
    headerBytes: size.optional().describe('Request line and header fields together; more is 431'),
    headerCount: z.number().int().min(1).optional().describe('Header fields; more is 431'),
    targetBytes: size.optional().describe('Path and query as sent; more is 414'),
  })
  .meta({ description: 'How large a request may be (docs/policies.md)' });

export type LimitsConfig = z.output<typeof limits>;
