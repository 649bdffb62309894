import { z } from 'zod';
import { bindAddress, fileMode, hasPort } from './bind-address.ts';
import { use } from './policy/policy-set.ts';
import { tls } from './tls.ts';
import { cidr, duration, isMap, name, oneOrMore, port, serverName, size } from './units.ts';

/** What to do with the doubtful parts of a path, before anything is matched (see docs/paths.md). */
export const pathPolicy = z
  .strictObject({
    dotSegments: z.enum(['resolve', 'refuse']).default('resolve').describe('"." and ".." segments, encoded or not'),
    duplicateSlashes: z.enum(['merge', 'keep', 'refuse']).default('merge').describe('"//" in the path'),
    encodedSlash: z.enum(['refuse', 'keep', 'decode']).default('refuse').describe('%2F in the path'),
    backslash: z.enum(['refuse', 'keep', 'slash']).default('refuse').describe('"\\" and %5C in the path'),
  })
  .prefault({});

/** Bounds of one listener. */
export const listenerLimits = z.strictObject({
  headerBytes: size.default(16_384).describe('Request line and header fields together; more is 431'),
  headerCount: z.number().int().min(1).default(100).describe('Header fields; more is 431'),
  bodyBytes: size.optional().describe('Request body; more is 413. No limit unless given'),
  headTimeout: duration.default(10_000).describe('From the first byte of a request to the end of its head'),
  bodyRate: size.default(256).describe('Slowest request body accepted, bytes per second over 10 s; 0 for any'),
  idleTimeout: duration.default(75_000).describe('A kept-alive connection without a request is closed after this'),
  connections: z.number().int().min(1).default(10_000).describe('Open connections in total'),
  connectionsPerAddress: z.number().int().min(1).default(512).describe('Open connections of one client address'),
  streams: z
    .number()
    .int()
    .min(1)
    .optional()
    .describe('Concurrent HTTP/2 streams of one connection; 128 unless given, 512 with profile development'),
  streamIdleTimeout: duration
    .default(3_600_000)
    .describe('A connection that is forwarded as it is ends after so long a silence of both sides'),
});

const passthrough = z.strictObject({
  sni: oneOrMore(serverName).describe('Server names: shop.example, or *.shop.example for all below it'),
  pool: name.describe('Where their connections go, undecrypted'),
});

export const listener = z
  .strictObject({
    address: bindAddress
      .optional()
      .describe('Address to bind, with or without the port; or unix:/path. Every address unless given'),
    port: port.optional(),
    mode: fileMode.optional().describe('Permissions of the file of a Unix socket; "0660" unless given'),
    kind: z.enum(['http', 'tcp']).default('http').describe('tcp: forward every connection as it is (docs/layer4.md)'),
    pool: name
      .optional()
      .describe('tcp only: where connections go that passthrough does not name; refused unless given'),
    passthrough: z
      .array(passthrough)
      .default([])
      .describe('TLS connections that are forwarded undecrypted, chosen by server name'),
    tls: tls.optional().describe('Terminate TLS here; {} mints a certificate from the local CA'),
    http2: z.boolean().default(true).describe('Offer HTTP/2 by ALPN (with TLS only)'),
    h2c: z.boolean().default(false).describe('Take HTTP/2 by prior knowledge (without TLS only)'),
    fastLane: z
      .boolean()
      .default(true)
      .describe('Read plain HTTP/1.1 requests on a short path of our own; false: Fastify reads them all'),
    profile: z
      .enum(['edge', 'development'])
      .default('edge')
      .describe('How much HTTP/2 clients may reset and ask beside their requests (docs/http2.md)'),
    redirectTo: name.optional().describe('Answer everything with a redirect to this TLS listener'),
    redirectPort: port
      .min(1)
      .optional()
      .describe('Port of that listener as clients see it, where a router or container maps it to another one'),
    trustedProxies: z
      .array(cidr)
      .default([])
      .describe('Peers whose Forwarded or X-Forwarded-* fields are believed; unix: for all on a Unix socket'),
    proxyProtocol: z
      .boolean()
      .default(false)
      .describe('Peers in trustedProxies begin with a PROXY header (v1 or v2), all others never do'),
    forwardedBy: z
      .enum(['x-forwarded-for', 'forwarded'])
      .default('x-forwarded-for')
      .describe('Which of the two fields a trusted proxy is believed in; never both'),
    underscores: z.enum(['drop', 'refuse', 'keep']).default('drop').describe('Header field names with "_"'),
    path: pathPolicy.describe('What to do with the doubtful parts of a path (docs/paths.md)'),
    use: use.describe('Groups of policies for everything that comes in here'),
    limits: listenerLimits.prefault({}).describe('What one client may ask for'),
  })
  .refine(hasPort, { message: 'missing key "port"', path: ['port'], when: isMap })
  .meta({ description: 'A port that Headgate listens on' });

export type ListenerConfig = z.output<typeof listener>;
