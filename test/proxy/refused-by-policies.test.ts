import { expect } from 'vitest';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

type Route = NonNullable<ConfigInput['routes']>[number];

interface Refusal {
  /** Key of the policy that refuses. */
  readonly policy: string;
  readonly route: Partial<Route>;
  readonly headers?: readonly string[];
  readonly status: number;
  readonly reason: string;
}

/** One refusal by each policy, of a request that would be served without it. */
const refusals: readonly Refusal[] = [
  { policy: 'access', route: { access: { deny: ['127.0.0.0/8'] } }, status: 403, reason: 'address-denied' },
  { policy: 'access', route: { access: { methods: 'GET' } }, status: 405, reason: 'method-not-allowed' },
  {
    policy: 'csrf',
    route: { csrf: {} },
    headers: ['Origin', 'https://evil.test'],
    status: 403,
    reason: 'cross-origin-request',
  },
  { policy: 'auth', route: { auth: { apiKey: { keys: [] } } }, status: 401, reason: 'credentials-missing' },
];

for (const { policy, route, headers = [], status, reason } of refusals) {
  matrix(`who is refused by ${policy} (${reason}) costs no connection to an endpoint and no upload`, async (stage) => {
    const shop = await stage.origin();
    const front = await stage.gateway(forwardTo(shop, { route }));
    const waiting = ['Expect', '100-continue', ...headers];
    const exchange = await front.begin({ method: 'POST', path: '/a', headers: waiting, length: 1_000_000 });
    const reply = await exchange.reply();
    expect([reply.status, reply.informational.length, reply.ended]).toEqual([status, 0, 'clean']);
    expect(reply.header('proxy-status')).toMatch(/^headgate; error=http_request_/);
    expect(shop.accepted).toBe(0);
    const record = await front.gateway.nextRecord();
    expect(record).toMatchObject({ policy, attempts: 0, end: { reason } });
  });
}
