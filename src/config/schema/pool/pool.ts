import { z } from 'zod';
import { absolutePath, authority, cookieDomain, cookieName, duration, socketPathOf, valueForms } from './units.ts';

/** `host:port`, `http://host:port`, `https://host[:port]`, `[::1]:3000`, `unix:/run/app.sock`. Parsed to its parts. */
const address = z
  .string()
  .register(valueForms, {
    kind: 'address',
    noun: 'an endpoint address',
    form: 'host:port, http(s)://host[:port], or unix:/path',
  })
  .meta({
    description: 'host:port, a URL without a path, or unix: and the path of a socket',
    examples: ['127.0.0.1:3000', 'https://api.example.com', 'unix:/run/app.sock'],
  })
  .transform((text, context) => {
    const parsed = parseEndpointAddress(text);
    if (parsed !== null) return parsed;
    const message = `"${text}" is not an endpoint address: give host:port, http(s)://host[:port], or unix:/path`;
    context.issues.push({ code: 'custom', input: text, message });
    return z.NEVER;
  });

type EndpointAddress =
  | { readonly secure: boolean; readonly host: string; readonly port: number }
  | { readonly socketPath: string };

function parseEndpointAddress(text: string): EndpointAddress | null {
  const socketPath = socketPathOf(text);
  if (socketPath !== null) return { socketPath };
  const parts = /^(?:(https?):\/\/)?(\[[0-9a-fA-F:.]+(?:%[\w.-]+)?\]|[A-Za-z0-9._-]+)(?::(\d{1,5}))?\/?$/.exec(text);
  if (parts === null) return null;
  const [, scheme, host = '', digits] = parts;
  const secure = scheme === 'https';
  const port = digits === undefined ? (scheme === undefined ? Number.NaN : secure ? 443 : 80) : Number(digits);
  return port >= 1 && port <= 65_535 ? { secure, host: host.replace(/^\[|\]$/g, ''), port } : null;
}

const endpoint = z
  .union([
    address.transform((parsed) => ({ address: parsed, weight: 1 })),
    z.strictObject({
      address: address.describe('host:port, a URL without a path, or unix:/path'),
      weight: z.number().int().min(0).max(1000).default(1).describe('Share of traffic; 0 for none'),
    }),
  ])
  .meta({ description: 'One address of the pool' });

const health = z
  .strictObject({
    path: absolutePath
      .regex(/^[\x21-\x22\x24-\x7e]+$/, 'a path is visible ASCII without "#"; escape the rest')
      .register(valueForms, {
        kind: 'path',
        noun: 'a path',
        form: 'a path that starts with “/”, in visible ASCII without “#”',
      })
      .default('/')
      .describe('Path and query of the GET request'),
    expect: z
      .array(
        z.union([
          z.number().int().min(100).max(599),
          z
            .string()
            .regex(/^[1-5]\d\d-[1-5]\d\d$/, 'a range is like 200-299')
            .register(valueForms, { kind: 'status-range', noun: 'a range of statuses', form: '200-299' }),
        ]),
      )
      .default(['200-399'])
      .describe('Statuses that mean healthy: 200, or ranges 200-299'),
    host: authority.optional().describe('Host header of the check; the endpoint address unless given'),
    interval: duration.default(5_000).describe('Between checks, jittered by ±20 %'),
    timeout: duration.default(2_000).describe('Until the response head of a check'),
    rise: z.number().int().min(1).default(2).describe('Successes in a row that make it healthy'),
    fall: z.number().int().min(1).default(3).describe('Failures in a row that make it unhealthy'),
    start: z.enum(['up', 'down']).default('up').describe('State before the first result'),
    type: z.enum(['http', 'tcp']).default('http').describe('A GET request, or only a connection'),
  })
  .meta({ description: 'Active health checks by HTTP GET, or by TCP connect' });

const affinity = z
  .strictObject({
    cookie: cookieName.optional().describe('Name of the cookie; headgate- and the pool’s name unless given'),
    secret: z
      .string()
      .min(16)
      .optional()
      .describe('Signs the cookie; give the same to every gateway. Random at each start unless given'),
    path: absolutePath
      .regex(/^[\x20-\x3a\x3c-\x7e]+$/, 'a cookie path is ASCII without ";"')
      .register(valueForms, {
        kind: 'path',
        noun: 'a cookie path',
        form: 'a path that starts with “/”, in ASCII without “;”',
      })
      .default('/')
      .describe('Path of the cookie'),
    domain: cookieDomain.optional().describe('Domain of the cookie; the request’s host alone unless given'),
    secure: z.enum(['auto', 'always', 'never']).default('auto').describe('auto: when the client came over TLS'),
    httpOnly: z.boolean().default(true).describe('Hide the cookie from scripts'),
    sameSite: z.enum(['strict', 'lax', 'none']).default('lax').describe('SameSite of the cookie'),
    maxAge: duration.optional().describe('Lifetime of the cookie; a session cookie unless given'),
  })
  .meta({ description: 'Sticky sessions by cookie' });

export const pool = z
  .strictObject({
    endpoints: z
      .array(endpoint)
      .min(1)
      .describe('Addresses: host:port, https://host[:port], unix:/path, or { address, weight }'),
    balance: z
      .enum(['round-robin', 'least-connections', 'source-ip', 'random'])
      .default('round-robin')
      .describe('How an endpoint is picked, weights included'),
    protocol: z
      .enum(['http1', 'http2'])
      .default('http1')
      .describe('What the endpoints speak; http2 over https:// by ALPN, over http:// by prior knowledge'),
    host: z
      .union([z.enum(['preserve', 'endpoint']), authority])
      .default('preserve')
      .describe('Host header upstream: the client’s, the endpoint’s, or a fixed one'),
    tls: z
      .strictObject({
        ca: z.string().optional().describe('PEM file with the roots to trust in place of the built-in ones'),
        serverName: z.string().optional().describe('SNI and certificate name; the endpoint’s host unless given'),
        insecure: z.boolean().default(false).describe('Do not verify the certificate'),
      })
      .optional()
      .describe('For https:// endpoints'),
    proxyProtocol: z
      .enum(['v1', 'v2'])
      .optional()
      .describe('Begin each connection with a PROXY header that names the client, in this version'),
    health: health.optional().describe('Active health checks by HTTP GET, or by TCP connect; {} for the defaults'),
    affinity: affinity.optional().describe('Sticky sessions by cookie; {} for the defaults'),
    connections: z
      .strictObject({
        max: z
          .number()
          .int()
          .min(1)
          .default(1024)
          .describe(
            'Connections to one endpoint; more than one client address may have, so that none can take them all',
          ),
        queue: z.number().int().min(0).default(1024).describe('Requests that may wait for one'),
        queueTimeout: duration.default(10_000).describe('Longest wait for a connection'),
        connectTimeout: duration.default(2_000).describe('TCP and TLS handshake together'),
        keepAlive: duration
          .default(4_000)
          .describe('Idle connections are closed after this, below the usual 5 s of Node backends'),
      })
      .prefault({})
      .describe('Connections to each endpoint'),
  })
  .meta({ description: 'A named set of endpoints' });

export type PoolConfig = z.output<typeof pool>;
export type EndpointConfig = PoolConfig['endpoints'][number];
