import { z } from 'zod';
import { admin } from './admin.ts';
import { bodyMatching } from './body-matching.ts';
import { cache } from './cache.ts';
import { dns } from './dns.ts';
import { explain } from './explain.ts';
import { listener } from './listener.ts';
import { accessLog, log } from './logs.ts';
import { metrics } from './metrics.ts';
import { overload } from './overload.ts';
import { defaults } from './policies.ts';
import { policySet } from './policy/policy-set.ts';
import { pool } from './pool/pool.ts';
import { reload } from './reload.ts';
import { route } from './route.ts';
import { store } from './stores.ts';
import { tracing } from './tracing.ts';
import { duration, name } from './units.ts';

/** The whole configuration, all files together. */
export const config = z.strictObject({
  listeners: z.record(name, listener).default({}).describe('Ports to listen on, by name'),
  pools: z.record(name, pool).default({}).describe('Sets of endpoints to forward to, by name'),
  routes: z.array(route).default([]).describe('Which request goes where'),
  policies: z
    .record(name, policySet)
    .default({})
    .describe('Groups of policies, by name, for “use” of routes and listeners'),
  stores: z.record(name, store).default({}).describe('Where gateways count together, by name (docs/rate-limits.md)'),
  defaults: defaults.describe('For every route'),
  bodyMatching: bodyMatching.describe('How bodies are read for routes that ask what they say (docs/body-matching.md)'),
  dns: dns.describe('How names of endpoints are resolved'),
  cache: cache.describe('Memory of all cached responses together'),
  admin: admin.describe('Health, readiness, API and dashboard'),
  overload: overload.describe('When the gateway itself has too much to do'),
  reload: reload.describe('Configurations that take the place of this one'),
  tracing: tracing.optional().describe('Take part in distributed traces (docs/tracing.md)'),
  metrics: metrics.describe('Counts for Prometheus'),
  explain: explain.optional().describe('Tell trusted callers, with the response, what was done with their request'),
  accessLog: accessLog.describe('One line for each exchange, and what is remembered of them'),
  log: log.describe('What the gateway says of itself'),
  drainDelay: duration
    .default(0)
    .describe('At shutdown /readyz fails so long before anything else changes, for load balancers to notice'),
  drainTimeout: duration.default(30_000).describe('Longest wait for exchanges to finish at shutdown'),
  workers: z
    .union([z.literal('auto'), z.int().min(1).max(256)])
    .default(1)
    .describe('Processes that serve; auto for one for each core (docs/workers.md)'),
  pidFile: z.string().min(1).optional().describe('Where the number of the process is written (default nowhere)'),
});

export type Config = z.output<typeof config>;
/** What a user writes; tests and `startGateway` take it. */
export type ConfigInput = z.input<typeof config>;
