import { z } from 'zod';
import { routeCache } from './cache.ts';
import { fallback } from './fallback.ts';
import { match } from './match.ts';
import { mirror } from './mirror.ts';
import { cookieEdits, queryEdits, redirect, respond, rewrite, timeouts } from './policies.ts';
import { policyShape, use } from './policy/policy-set.ts';
import { retry } from './retry.ts';
import { routeTest } from './route-tests.ts';
import { split, sticky } from './split.ts';
import { routeTracing } from './tracing.ts';
import { isMap, name, oneOrMore } from './units.ts';

/** What a route does: exactly one of these. */
export const ACTIONS = ['pool', 'split', 'redirect', 'respond'] as const;

/** What has a meaning only for requests that go to a pool. */
const FORWARDING = [
  'rewrite',
  'query',
  'requestHeaders',
  'cookies',
  'timeouts',
  'importance',
  'retry',
  'mirror',
  'fallback',
  'cache',
] as const;

export const route = z
  .strictObject({
    name: name.optional().describe('How logs and metrics call it; file and line unless given'),
    listeners: oneOrMore(name).optional().describe('Every listener unless given'),
    match: match.default({}).describe('Everything unless given'),
    priority: z.number().int().default(0).describe('Higher goes first among routes that match equally well'),
    pool: name.optional().describe('Forward to this pool'),
    split: split.optional().describe('Divide requests among these pools by weight'),
    sticky: sticky.optional().describe('Clients stay with their pool of the split: true, { insert: {…} } or { by: … }'),
    redirect: redirect.optional().describe('Answer with a redirect'),
    respond: respond.optional().describe('Answer with a fixed response'),
    rewrite: rewrite.optional().describe('New path upstream; the query stays'),
    query: queryEdits.optional().describe('Changes to the query upstream'),
    use: use.describe('Groups of policies, before the route’s own'),
    ...policyShape,
    rewriteLocation: z.boolean().default(true).describe('Undo the path rewrite in Location and Content-Location'),
    cookies: cookieEdits.optional().describe('Changes to Set-Cookie'),
    timeouts: timeouts.optional().describe('In place of the defaults'),
    importance: z
      .enum(['high', 'normal', 'low'])
      .optional()
      .describe('Who goes first in the queue of a pool, and who is refused first under overload; normal unless given'),
    retry: retry.optional().describe('In place of the defaults'),
    mirror: mirror.optional().describe('Copies of requests for another pool, which never affect the client'),
    fallback: fallback.optional().describe('What to do when no response comes from the pool'),
    tracing: routeTracing.optional().describe('In place of what holds for all'),
    cache: routeCache.optional().describe('Store responses and reuse them (RFC 9111); true for the defaults'),
    tests: z
      .array(routeTest)
      .optional()
      .describe('Requests and what becomes of them, for headgate test; a gateway takes no notice (docs/testing.md)'),
  })
  .superRefine(
    (value, context) => {
      const actions = ACTIONS.filter((key) => value[key] !== undefined);
      if (actions.length === 1) {
        for (const key of value.pool === undefined && value.split === undefined ? FORWARDING : []) {
          if (value[key] === undefined) continue;
          const message = `${key} is for what is forwarded, and this route answers with ${actions[0]}`;
          context.issues.push({ code: 'custom', input: value, message, path: [key] });
        }
        if (value.sticky !== undefined && value.split === undefined) {
          const message = 'sticky is for a split; sessions at endpoints are “affinity” of the pool';
          context.issues.push({ code: 'custom', input: value, message, path: ['sticky'] });
        }
        return;
      }
      const message =
        actions.length === 0
          ? 'a route needs one of pool, split, redirect, respond'
          : `a route has one of pool, split, redirect, respond, not ${actions.join(' and ')}`;
      const path = actions[1] === undefined ? {} : { path: [actions[1]] };
      context.issues.push({ code: 'custom', input: value, message, params: { actions: actions.length }, ...path });
    },
    { when: isMap },
  );

export const ROUTE_KEYS: readonly string[] = Object.keys(route.shape);

export type RouteConfig = z.output<typeof route>;
