import type { ConfigInput } from '../src/config/schema/config.ts';
import { benchSecret, benchToken } from './bench-token.ts';
import { benchCookie, benchLogin } from './oidc-session.ts';

type RouteInput = NonNullable<ConfigInput['routes']>[number];

/** A policy, and requests that it lets through: what `bench/policies.ts` measures the cost of. */
export interface PolicySubject {
  readonly name: string;
  /** What the route has besides match and pool. */
  readonly route: Partial<RouteInput>;
  /** Top-level sections besides. */
  readonly sections?: Partial<ConfigInput>;
  /** Header fields of each request, `Name: value`. */
  readonly fields?: readonly string[];
  /** The same in nginx, in the location of the route and among `http`; not given where it has no such thing. */
  readonly nginx?: { readonly location: string; readonly http?: string };
}

/** The first has none: it is what the others are compared with. */
export const policySubjects: readonly PolicySubject[] = [
  { name: 'none', route: {}, nginx: { location: '' } },
  {
    name: 'access',
    route: { access: { deny: ['203.0.113.0/24', '198.51.100.7'], allow: ['127.0.0.0/8', '10.0.0.0/8'] } },
    nginx: { location: 'deny 203.0.113.0/24; deny 198.51.100.7; allow 127.0.0.0/8; allow 10.0.0.0/8; deny all;' },
  },
  { name: 'access, a rule', route: { access: { rules: [{ deny: { headers: { 'X-Blocked': { present: true } } } }] } } },
  { name: 'limits', route: { limits: { headerBytes: '8k', headerCount: 50, targetBytes: '2k' } } },
  { name: 'paths', route: { paths: { dotSegments: 'refuse', semicolon: 'refuse', nonUtf8: 'refuse' } } },
  { name: 'guards', route: { guards: { mode: 'block' } } },
  { name: 'maintenance', route: { maintenance: { whileFile: '/nonexistent' } } },
  {
    name: 'cors',
    route: { cors: { origins: ['https://a.test', 'https://*.b.test'], credentials: true } },
    fields: ['Origin: https://x.b.test'],
  },
  { name: 'csrf', route: { csrf: {} } },
  { name: 'securityHeaders', route: { securityHeaders: { preset: 'strict' } } },
  { name: 'errorPages', route: { errorPages: { json: 'problem', intercept: 503 } } },
  { name: 'requestHeaders', route: { requestHeaders: { set: { 'X-Tenant': 'shop' } } } },
  { name: 'compress, not asked for', route: { compress: true } },
  { name: 'compress, gzip', route: { compress: { minSize: 0 } }, fields: ['Accept-Encoding: gzip'] },
  { name: 'substitute', route: { substitute: { rules: [{ find: 'needle', replace: 'thread' }], types: ['text/*'] } } },
  { name: 'decompress, nothing to decode', route: { decompress: true } },
  {
    name: 'auth.basic, verified before',
    route: {
      auth: {
        basic: {
          users: { ann: '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4' },
          cacheFor: '1h',
        },
        headers: { 'X-User': '{auth.user}' },
      },
    },
    fields: ['Authorization: Basic YW5uOnBhc3N3b3Jk'],
  },
  {
    name: 'auth.apiKey',
    route: {
      auth: {
        apiKey: {
          keys: [{ name: 'ci', key: 'sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08' }],
        },
      },
    },
    fields: ['X-API-Key: test'],
  },
  {
    name: 'rateLimit',
    route: { rateLimit: { rate: '1000000/s' } },
    nginx: {
      http: 'limit_req_zone $binary_remote_addr zone=clients:16m rate=1000000r/s;',
      location: 'limit_req zone=clients burst=1000000 nodelay;',
    },
  },
  { name: 'rateLimit, clients are not told', route: { rateLimit: { rate: '1000000/s', headers: false } } },
  {
    name: 'concurrency',
    route: { concurrency: { max: 100_000 } },
    nginx: { http: 'limit_conn_zone $binary_remote_addr zone=held:16m;', location: 'limit_conn held 65535;' },
  },
  {
    name: 'auth.jwt, verified before',
    route: { auth: { jwt: { secret: benchSecret, issuer: 'any', audience: 'any' } } },
    fields: [`Authorization: Bearer ${benchToken()}`],
  },
  // The origin is as good a service as any.
  { name: 'auth.forward, asked each time', route: { auth: { forward: { url: 'http://127.0.0.1:7195/none/1k' } } } },
  {
    name: 'auth.forward, kept',
    route: { auth: { forward: { url: 'http://127.0.0.1:7195/none/1k', cache: '1h' } } },
  },
  { name: 'auth.oidc, a session', route: { auth: { oidc: benchLogin } }, fields: [`Cookie: ${benchCookie()}`] },
];
