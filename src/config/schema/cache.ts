import { z } from 'zod';
import { cacheKey } from './cache-key.ts';
import { cacheTtl } from './cache-ttl.ts';
import { match } from './match.ts';
import { cidr, cookieName, duration, headerName, size } from './units.ts';

const tagFields = z.array(headerName).max(8);

/** What responses can be purged by besides their URL. */
const tags = z
  .strictObject({
    fields: tagFields
      .default(['Cache-Tag', 'Surrogate-Key'])
      .describe('Response fields whose members are tags; an empty list for none'),
    pass: z.boolean().default(false).describe('Send these fields on to clients'),
  })
  .prefault({});

const routeTags = z.strictObject({
  fields: tagFields.optional().describe('Response fields whose members are tags, in place of those for all routes'),
  pass: z.boolean().optional().describe('Send these fields on to clients'),
});

/** Where stored responses survive a restart, and more of them have room than in memory. */
const disk = z.strictObject({
  path: z.string().min(1).describe('A directory for it alone, made if it is not there; of one gateway'),
  size: size.default(10 * 1024 ** 3).describe('All files together'),
  heads: size.default(64 * 1024 ** 2).describe('Memory for what is known of the responses on disk, about 2 KiB each'),
});

/** One for all routes. */
export const cache = z
  .strictObject({
    size: size.default(128 * 1024 ** 2).describe('All stored responses together'),
    objectSize: size.default(8 * 1024 ** 2).describe('One stored response'),
    disk: disk.optional().describe('A second tier on disk, which survives restarts (default none)'),
    fills: size
      .optional()
      .describe(
        'Bodies on their way into the cache, together; above it they are not stored (default a quarter of size)',
      ),
    refreshes: z
      .int()
      .min(1)
      .default(32)
      .describe('Refreshes of stale responses at once, in the background; above it they are served without'),
    tags: tags.describe('What responses can be purged by besides their URL'),
  })
  .prefault({});

const collapse = z.strictObject({
  wait: duration.default(10_000).describe('Longest wait; then a request goes on its own, and its answer is not stored'),
});

/** What a route does that says nothing of it. */
export const collapseByDefault = collapse.parse({});

/** What a route wants of it. */
const ofRoute = z.strictObject({
  defaultTtl: cacheTtl.optional().describe('Freshness of responses that state none; they are not stored unless given'),
  overrideTtl: cacheTtl.optional().describe('Freshness of responses whatever they state; what they state unless given'),
  ignore: z
    .array(z.enum(['no-cache', 'no-store', 'private']))
    .min(1)
    .optional()
    .describe('Directives of responses that are taken as not given'),
  ignoreClientNoCache: z
    .boolean()
    .default(false)
    .describe('Clients can’t ask for newer responses: their no-cache, no-store, max-age, min-fresh change nothing'),
  setCookie: z
    .union([z.enum(['refuse', 'strip']), z.array(cookieName).min(1)])
    .default('refuse')
    .describe('Responses that set cookies: refuse them, strip the cookies, or the names of cookies for everybody'),
  key: cacheKey.optional().describe('What a stored response is found by, beside scheme, host and path'),
  bypass: z
    .array(match)
    .min(1)
    .optional()
    .describe('Requests that go past the cache: those that one of these matches is true of'),
  objectSize: size.optional().describe('A stored response of this route; cache.objectSize unless given'),
  staleWhileRevalidate: duration
    .optional()
    .describe(
      'How long a stale response is served at once while it is refreshed, where it does not say itself (default 0)',
    ),
  staleIfError: duration
    .optional()
    .describe('How long a stale response is served while its endpoint fails, where it does not say itself (default 0)'),
  earlyHints: z
    .boolean()
    .optional()
    .describe(
      'Send the preload links of a page that was stored before as 103, while it is fetched anew (default false)',
    ),
  collapse: z
    .union([z.literal(true).transform(() => collapseByDefault), z.literal(false), collapse])
    .optional()
    .describe('Requests for the same thing at the same time become one (default true)'),
  tags: routeTags.optional().describe('What its responses can be purged by besides their URL'),
  purge: z
    .strictObject({
      from: z.array(cidr).min(1).describe('Client addresses or networks whose PURGE is obeyed; all others get 403'),
    })
    .optional()
    .describe('Requests with the method PURGE purge what is stored for their URL; they are forwarded unless given'),
  targets: z
    .array(headerName.refine((name) => !/^(?:cache-control|expires)$/i.test(name), 'counts where no target does'))
    .max(8)
    .optional()
    .describe(
      'Fields that count here in place of Cache-Control and Expires, the first that is valid (RFC 9213); default CDN-Cache-Control',
    ),
  ranges: z
    .enum(['pass', 'whole'])
    .default('pass')
    .describe('Ask the endpoint for the range that a client asks for, or for the whole, and serve the range from that'),
});

export const routeCache = z
  .union([z.literal(true).transform(() => ofRoute.parse({})), ofRoute])
  .transform((value): z.output<typeof ofRoute> => value);

export type CacheConfig = z.output<typeof cache>;
export type RouteCacheConfig = z.output<typeof routeCache>;
