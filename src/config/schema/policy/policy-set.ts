import { z } from 'zod';
import { headerEdits } from '../policies.ts';
import { name, oneOrMore } from '../units.ts';
import { access } from './access.ts';
import { auth } from './auth.ts';
import { compress } from './compress.ts';
import { cors } from './cors.ts';
import { csrf } from './csrf.ts';
import { decompress } from './decompress.ts';
import { errorPages } from './error-pages.ts';
import { guards } from './guards.ts';
import { limits } from './limits.ts';
import { maintenance } from './maintenance.ts';
import { paths } from './paths.ts';
import { concurrency, rateLimit } from './rate-limit.ts';
import { securityHeaders } from './security-headers.ts';
import { substitute } from './substitute.ts';

/** `false`: not what groups or the listener say. */
export function orOff<T extends z.ZodType>(schema: T) {
  return z.union([z.literal(false), schema]).optional();
}

/** What a policy is, by its key: on a route, and in a group. Each in a file of its own beside this one. Bodies go through them in this order. */
const policies = {
  maintenance: orOff(maintenance).describe('Out of service, by the configuration or a file, and who is served even so'),
  limits: orOff(limits).describe('How large a request may be'),
  paths: orOff(paths).describe('Doubtful spellings of paths that are refused'),
  access: orOff(access).describe('Who may come in at all: addresses, methods, rules'),
  guards: orOff(guards).describe('Rules against common attacks'),
  auth: orOff(auth).describe('Who may ask: passwords, API keys'),
  cors: orOff(cors).describe('Which other sites’ scripts may read responses (docs/cors.md)'),
  csrf: orOff(csrf).describe('Refuse what other sites make browsers send (docs/cors.md)'),
  securityHeaders: orOff(securityHeaders).describe(
    'Fields that tell browsers to be careful (docs/security-headers.md)',
  ),
  rateLimit: orOff(rateLimit).describe('How often requests may come (docs/rate-limits.md)'),
  concurrency: orOff(concurrency).describe('How many requests may be under way at once (docs/rate-limits.md)'),
  errorPages: orOff(errorPages).describe('Pages for Headgate’s own errors (docs/error-pages.md)'),
  decompress: orOff(decompress).describe('Takes the content coding off bodies of requests'),
  substitute: orOff(substitute).describe('Texts that are replaced in bodies of responses'),
  compress: orOff(compress).describe('Compression of responses, by what clients accept'),
  requestHeaders: headerEdits.optional().describe('Changes to the request’s header fields'),
  responseHeaders: headerEdits.optional().describe('Changes to the response’s header fields'),
};

/** The keys of policies, for routes. */
export const policyShape = policies;

export const policySet = z.strictObject(policies).meta({ description: 'Policies that routes and listeners include' });

/** Names of groups, in the order in which they apply. */
export const use = oneOrMore(name).optional();

export type PolicySetConfig = z.output<typeof policySet>;
export type PolicyKey = keyof PolicySetConfig;
export const POLICY_KEYS = Object.keys(policies) as readonly PolicyKey[];
