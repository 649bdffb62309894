import { z } from 'zod';
import { authority, isMap } from '../units.ts';
import { affinity } from './affinity.ts';
import { balance, panic, priorities } from './balance.ts';
import { breaker } from './breaker.ts';
import { connections } from './connections.ts';
import { discover } from './discover.ts';
import { endpoint } from './endpoint.ts';
import { health } from './health.ts';
import { limits } from './limits.ts';
import { outliers } from './outliers.ts';
import { retryBudget } from './retry-budget.ts';
import { tls } from './tls.ts';

export const pool = z
  .strictObject({
    endpoints: z
      .array(endpoint)
      .min(1)
      .optional()
      .describe('Addresses: host:port, https://host[:port], unix:/path, or { address, weight, priority }'),
    discover: discover.optional().describe('Further endpoints, by DNS, from a file or from Docker; see discovery'),
    balance: balance.default('round-robin').describe('How an endpoint is picked, weights included'),
    priorities,
    panic,
    protocol: z
      .enum(['http1', 'http2', 'auto'])
      .default('http1')
      .describe(
        'What the endpoints speak; http2 over https:// by ALPN, over http:// by prior knowledge; auto: over https:// what they choose',
      ),
    host: z
      .union([z.enum(['preserve', 'endpoint']), authority])
      .default('preserve')
      .describe('Host header upstream: the client’s, the endpoint’s, or a fixed one'),
    tls: tls.optional().describe('For https:// endpoints'),
    proxyProtocol: z
      .enum(['v1', 'v2'])
      .optional()
      .describe('Begin each connection with a PROXY header that names the client, in this version'),
    health: health
      .optional()
      .describe('Active health checks by HTTP request, TCP connect or gRPC call; {} for the defaults'),
    affinity: affinity.optional().describe('Sticky sessions; {} for a cookie with the defaults'),
    outliers: outliers
      .optional()
      .describe('Passive health: endpoints that do worse than the others are put aside; {} for the defaults'),
    breaker: breaker.optional().describe('Circuit breaker; {} for the defaults'),
    retryBudget: retryBudget.describe('How many requests may be repeated (docs/retries.md)'),
    limits: limits.optional().describe('How many requests at a time, and where others wait'),
    connections: connections.describe('Connections to each endpoint'),
  })
  .refine(({ endpoints, discover }) => endpoints !== undefined || discover !== undefined, {
    message: 'missing key "endpoints"',
    path: ['endpoints'],
    when: isMap,
  })
  .transform(({ endpoints = [], ...rest }) => ({ ...rest, endpoints }))
  .meta({
    description: 'A named set of endpoints',
    // For editors, which know nothing of refinements.
    anyOf: [{ required: ['endpoints'] }, { required: ['discover'] }],
  });

/** A pool with every default. Its endpoint is there because the schema wants one. */
export function plainPool(): PoolConfig {
  return pool.parse({ endpoints: ['127.0.0.1:1'] });
}

export type PoolConfig = z.output<typeof pool>;
export type EndpointConfig = z.output<typeof endpoint>;
