import { z } from 'zod';
import { duration, size } from './units.ts';

/** One for all routes. */
export const cache = z
  .strictObject({
    size: size.default(128 * 1024 ** 2).describe('All stored responses together'),
    objectSize: size.default(8 * 1024 ** 2).describe('One stored response'),
  })
  .prefault({});

/** What a route wants of it. */
const ofRoute = z.strictObject({
  defaultTtl: duration.optional().describe('Freshness of responses that state none; they are not stored unless given'),
  storeSetCookie: z.boolean().optional().describe('Store responses with Set-Cookie (default false)'),
});

export const routeCache = z
  .union([z.literal(true).transform(() => ({})), ofRoute])
  .transform((value): z.output<typeof ofRoute> => value);

export type CacheConfig = z.output<typeof cache>;
export type RouteCacheConfig = z.output<typeof routeCache>;
