import { z } from 'zod';
import { cookieName, headerName, share } from '../units.ts';

export const hashKey = z
  .union([
    z.enum(['client', 'path', 'uri']),
    z.strictObject({ header: headerName.describe('Value of this request field') }),
    z.strictObject({ cookie: cookieName.describe('Value of this cookie') }),
    z.strictObject({ query: z.string().min(1).describe('Value of this query parameter, both as sent') }),
  ])
  .meta({ description: 'client, path, uri (path and query), { header: NAME }, { cookie: NAME } or { query: NAME }' });

export const balance = z
  .union([
    z.enum(['round-robin', 'least-connections', 'random', 'two-choices', 'ewma', 'source-ip']),
    z.strictObject({
      hash: hashKey.describe('Requests with the same value go to the same endpoint'),
      load: z
        .number()
        .min(1)
        .max(100)
        .optional()
        .describe('Most requests in flight of an endpoint as a multiple of its share, 1.25 say; no bound unless given'),
    }),
  ])
  .meta({ description: 'How an endpoint is picked, weights included; { hash: … } for consistent hashing' });

export const priority = z
  .number()
  .int()
  .min(0)
  .max(100)
  .default(0)
  .describe('0 first; higher ones get what those before them can’t take');

export const priorities = z
  .strictObject({
    healthy: share
      .default(0.7)
      .describe('Share of healthy endpoints with which a priority takes all traffic; 0% for backups: any healthy one'),
  })
  .prefault({})
  .meta({ description: 'When endpoints of the next priority get traffic' });

export const panic = share
  .default(0)
  .describe('Below this share of healthy endpoints the pool no longer asks for their health; 0% for never');
