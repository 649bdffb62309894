import { z } from 'zod';
import { retryDefaults } from './retry.ts';
import { absolutePath, duration, headerName } from './units.ts';

/** Text with `{variables}`: captures by name, `{host}`, `{path}`, `{query.x}`, `{header.x}`, … (docs/variables.md). */
const template = z.string().meta({ description: 'Text; {name} inserts a capture or a variable' });

export const headerEdits = z.strictObject({
  set: z.record(headerName, template).optional().describe('Fields by name; replaces every field of that name'),
  add: z.record(headerName, template).optional().describe('Fields by name, besides those that are there'),
  remove: z.array(headerName).optional().describe('Names of fields to remove'),
});

export const queryEdits = z.strictObject({
  set: z.record(z.string(), template).optional().describe('Parameters by name; replaces every one of that name'),
  add: z.record(z.string(), template).optional().describe('Parameters by name, besides those that are there'),
  remove: z.array(z.string()).optional().describe('Names of parameters to remove'),
});

export const rewrite = z
  .union([
    z.strictObject({ stripPrefix: absolutePath.describe('Removed from the start of the path, on a segment border') }),
    z.strictObject({ prefix: absolutePath.describe('Takes the place of the prefix that the route matched') }),
    z.strictObject({ path: absolutePath.describe('The whole new path; {name} inserts a capture or a variable') }),
    z.strictObject({
      regex: z.string().describe('RE2 syntax; every match in the path is replaced'),
      replace: template.describe('What each match becomes; $1 inserts a group'),
    }),
  ])
  .meta({ description: 'New path upstream; the query stays' });

export const redirect = z.strictObject({
  to: template.describe('URL or path: https://{host}/new{path}'),
  status: z
    .union([z.literal(301), z.literal(302), z.literal(303), z.literal(307), z.literal(308)])
    .default(302)
    .describe('301 and 308 are permanent; 307 and 308 keep the method'),
  keepQuery: z.boolean().default(true).describe('Append the query of the request'),
});

export const respond = z.strictObject({
  status: z.number().int().min(200).max(599).default(200).describe('Status of the response'),
  headers: z.record(headerName, template).default({}).describe('Header fields by name'),
  body: z.string().default('').describe('The whole body; {name} inserts a capture or a variable'),
});

/** Text is allowed here, so YAML 1.2 would take these for a domain. */
const YES_NO = 'YAML 1.2 reads it as text: write false to remove it, or a domain';

export const cookieEdits = z.strictObject({
  domain: z
    .union([z.string().regex(/^(?!(?:yes|no|on|off)$)/i, YES_NO), z.literal(false)])
    .optional()
    .describe('New Domain of cookies the endpoint sets; false removes it'),
  path: z
    .union([
      absolutePath,
      z.strictObject({
        from: z.string().describe('Start of the Path the endpoint sets'),
        to: z.string().describe('What that start becomes'),
      }),
    ])
    .optional()
    .describe('New Path of cookies the endpoint sets, or { from, to } to change its start'),
  secure: z.boolean().optional().describe('Set or remove Secure'),
  httpOnly: z.boolean().optional().describe('Set or remove HttpOnly'),
  sameSite: z.enum(['strict', 'lax', 'none']).optional().describe('Set SameSite'),
});

const HEAD = 'From the request’s last byte to the response head';
const IDLE = 'Longest silence in a response body; event streams and gRPC have tunnelIdle';
const TOTAL = 'The whole exchange over all attempts; 0 for no limit';
const TUNNEL_IDLE = 'Longest silence of an upgraded connection, an event stream, a gRPC call; 0 for no limit';

/** A route's own; what it leaves out is as in `defaults`. */
export const timeouts = z.strictObject({
  head: duration.optional().describe(HEAD),
  idle: duration.optional().describe(IDLE),
  total: duration.optional().describe(TOTAL),
  tunnelIdle: duration.optional().describe(TUNNEL_IDLE),
});

/** For every route that says nothing else. */
export const defaults = z
  .strictObject({
    timeouts: z
      .strictObject({
        head: duration.default(30_000).describe(HEAD),
        idle: duration.default(60_000).describe(IDLE),
        total: duration.default(0).describe(TOTAL),
        tunnelIdle: duration.default(3_600_000).describe(TUNNEL_IDLE),
      })
      .prefault({})
      .describe('Timeouts of every route that has none of its own'),
    retry: retryDefaults.prefault({}).describe('Retries of every route that has none of its own'),
  })
  .prefault({});

export type HeaderEditsConfig = z.output<typeof headerEdits>;
export type QueryEditsConfig = z.output<typeof queryEdits>;
export type RewriteConfig = z.output<typeof rewrite>;
export type RedirectConfig = z.output<typeof redirect>;
export type RespondConfig = z.output<typeof respond>;
export type CookieEditsConfig = z.output<typeof cookieEdits>;
