import { z } from 'zod';
import { match } from './match.ts';
import {
  cookieEdits,
  headerEdits,
  queryEdits,
  redirect,
  respond,
  retry,
  rewrite,
  routeCache,
  routeLimits,
  timeouts,
} from './policies.ts';
import { name, oneOrMore } from './units.ts';

export const route = z
  .strictObject({
    name: name.optional().describe('How logs and metrics call it; file and line unless given'),
    listeners: oneOrMore(name).optional().describe('Every listener unless given'),
    match: match.default({}).describe('Everything unless given'),
    priority: z.number().int().default(0).describe('Higher goes first among routes that match equally well'),
    pool: name.optional().describe('Forward to this pool'),
    redirect: redirect.optional(),
    respond: respond.optional(),
    rewrite: rewrite.optional(),
    query: queryEdits.optional(),
    requestHeaders: headerEdits.optional(),
    responseHeaders: headerEdits.optional(),
    rewriteLocation: z.boolean().default(true).describe('Undo the path rewrite in Location and Content-Location'),
    cookies: cookieEdits.optional().describe('Changes to Set-Cookie'),
    timeouts: timeouts.optional(),
    retry: retry.optional(),
    limits: routeLimits.optional(),
    cache: routeCache.optional(),
  })
  .check((context) => {
    const actions = (['pool', 'redirect', 'respond'] as const).filter((key) => context.value[key] !== undefined);
    if (actions.length === 1) return;
    const message =
      actions.length === 0
        ? 'a route needs one of pool, redirect, respond'
        : `a route has one of pool, redirect, respond, not ${actions.join(' and ')}`;
    context.issues.push({
      code: 'custom',
      input: context.value,
      message,
      ...(actions[1] === undefined ? {} : { path: [actions[1]] }),
    });
  });

export type RouteConfig = z.output<typeof route>;
