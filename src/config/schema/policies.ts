import { z } from 'zod';
import { duration, headerName, size } from './units.ts';

/** Text with `{variables}`: captures by name, `{host}`, `{path}`, `{query.x}`, `{header.x}`, … (docs/variables.md). */
const template = z.string().meta({ description: 'Text; {name} inserts a capture or a variable' });

export const headerEdits = z.strictObject({
  set: z.record(headerName, template).optional(),
  add: z.record(headerName, template).optional(),
  remove: z.array(headerName).optional(),
});

export const queryEdits = z.strictObject({
  set: z.record(z.string(), template).optional(),
  add: z.record(z.string(), template).optional(),
  remove: z.array(z.string()).optional(),
});

export const rewrite = z
  .union([
    z.strictObject({ stripPrefix: z.string().startsWith('/') }),
    z.strictObject({ prefix: z.string().startsWith('/') }).describe('Replaces the matched prefix'),
    z.strictObject({ path: template.startsWith('/') }).describe('The whole new path'),
    z.strictObject({ regex: z.string(), replace: template }).describe('Every match in the path; $1 inserts a group'),
  ])
  .meta({ description: 'New path upstream; the query stays' });

export const redirect = z.strictObject({
  to: template.describe('URL or path: https://{host}/new{path}'),
  status: z.union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)]).default(302),
  keepQuery: z.boolean().default(true),
});

export const respond = z.strictObject({
  status: z.number().int().min(200).max(599).default(200),
  headers: z.record(headerName, template).default({}),
  body: z.string().default(''),
});

export const cookieEdits = z.strictObject({
  domain: z
    .union([z.string(), z.literal(false)])
    .optional()
    .describe('New Domain of cookies the endpoint sets; false removes it'),
  path: z.union([z.string().startsWith('/'), z.strictObject({ from: z.string(), to: z.string() })]).optional(),
  secure: z.boolean().optional(),
  httpOnly: z.boolean().optional(),
  sameSite: z.enum(['strict', 'lax', 'none']).optional(),
});

export const timeouts = z.strictObject({
  head: duration.optional().describe('From the request’s last byte to the response head (default 30s)'),
  idle: duration
    .optional()
    .describe('Longest silence in a response body (default 60s); never applies to text/event-stream'),
  total: duration.optional().describe('The whole exchange over all attempts (default none)'),
  tunnelIdle: duration.optional().describe('Longest silence of an upgraded connection (default 1h)'),
});

export const retry = z.strictObject({
  attempts: z.number().int().min(1).max(10).optional().describe('Attempts in total (default 3)'),
});

export const routeLimits = z.strictObject({
  body: size.optional().describe('Request body; more is 413'),
});

export const routeCache = z
  .union([
    z.literal(true).transform(() => ({})),
    z.strictObject({
      defaultTtl: duration
        .optional()
        .describe('Freshness of responses that state none; they are not stored unless given'),
      storeSetCookie: z.boolean().optional().describe('Store responses with Set-Cookie (default false)'),
    }),
  ])
  .transform((value): { defaultTtl?: number | undefined; storeSetCookie?: boolean | undefined } => value);

export type HeaderEditsConfig = z.output<typeof headerEdits>;
export type QueryEditsConfig = z.output<typeof queryEdits>;
export type RewriteConfig = z.output<typeof rewrite>;
export type RedirectConfig = z.output<typeof redirect>;
export type RespondConfig = z.output<typeof respond>;
export type CookieEditsConfig = z.output<typeof cookieEdits>;
export type TimeoutsConfig = z.output<typeof timeouts>;
export type RouteCacheConfig = z.output<typeof routeCache>;
