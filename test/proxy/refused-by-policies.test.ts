import { expect } from 'vitest';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

type Route = NonNullable<ConfigInput['routes']>[number];

interface Refusal {
  /** Key of the policy that refuses. */
  readonly policy: string;
  readonly route: Partial<Route>;
  /** Default `/a`. */
  readonly path?: string;
  readonly headers?: readonly string[];
  /** The same request has been served this often before. */
  readonly served?: number;
  readonly status: number;
  readonly reason: string;
}

/** A shared secret that signs no token here. */
const secret = 'x'.repeat(32);

/** Refusals by each policy, of requests that would be served without it. */
const refusals: readonly Refusal[] = [
  { policy: 'maintenance', route: { maintenance: { enabled: true } }, status: 503, reason: 'maintenance' },
  { policy: 'paths', route: { paths: { semicolon: 'refuse' } }, path: '/a;b', status: 400, reason: 'path-semicolon' },
  { policy: 'access', route: { access: { deny: ['127.0.0.0/8'] } }, status: 403, reason: 'address-denied' },
  { policy: 'access', route: { access: { methods: 'GET' } }, status: 405, reason: 'method-not-allowed' },
  {
    ...{ policy: 'cors', route: { cors: { origins: 'https://app.test', enforce: true } } },
    ...{ headers: ['Origin', 'https://app.test.evil.test'], status: 403, reason: 'cors-origin-not-allowed' },
  },
  {
    ...{ policy: 'access', route: { access: { rules: [{ deny: { path: '/a' } }] } } },
    ...{ status: 403, reason: 'rule-denied' },
  },
  { policy: 'limits', route: { limits: { targetBytes: 1 } }, status: 414, reason: 'target-too-long' },
  { policy: 'limits', route: { limits: { headerCount: 1 } }, status: 431, reason: 'headers-too-large' },
  {
    ...{ policy: 'guards', route: { guards: { mode: 'block' } }, path: '/a?q=%3Cscript%3E' },
    ...{ status: 403, reason: 'guard-xss-script' },
  },
  {
    ...{ policy: 'csrf', route: { csrf: {} }, headers: ['Origin', 'https://evil.test'] },
    ...{ status: 403, reason: 'cross-origin-request' },
  },
  {
    ...{ policy: 'rateLimit', route: { rateLimit: { rate: '1/h' } }, served: 1 },
    ...{ status: 429, reason: 'rate-limit-exceeded' },
  },
  { policy: 'auth', route: { auth: { apiKey: { keys: [] } } }, status: 401, reason: 'credentials-missing' },
  {
    ...{ policy: 'auth', route: { auth: { jwt: { secret, issuer: 'i', audience: 'a' } } }, status: 401 },
    ...{ headers: ['Authorization', 'Bearer a.b.c'], reason: 'token-malformed' },
  },
  {
    ...{ policy: 'decompress', route: { decompress: true }, headers: ['Content-Encoding', 'rot13'] },
    ...{ status: 415, reason: 'body-encoding-unsupported' },
  },
];

for (const { policy, route, path = '/a', headers = [], served = 0, status, reason } of refusals) {
  matrix(`who is refused by ${policy} (${reason}) costs no connection to an endpoint and no upload`, async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(forwardTo(shop, { route }));
    for (let i = 0; i < served; i += 1) {
      expect((await front.send({ method: 'POST', path, headers: [...headers], body: 'a' })).status).toBe(200);
      await front.gateway.nextRecord();
    }
    const waiting = ['Expect', '100-continue', ...headers];
    const exchange = await front.begin({ method: 'POST', path, headers: waiting, length: 1_000_000 });
    const reply = await exchange.reply();
    expect([reply.status, reply.informational.length, reply.ended]).toEqual([status, 0, 'clean']);
    expect(reply.header('proxy-status')).toMatch(/^headgate; error=/);
    expect(shop.received).toHaveLength(served);
    expect(await front.gateway.nextRecord()).toMatchObject({ policy, attempts: 0, end: { reason } });
  });
}
