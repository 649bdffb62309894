import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

function cached(origin: Origin, cache: NonNullable<Forwarding['route']>['cache'] = true): TestConfig {
  return forwardTo(origin, { route: { cache } });
}

const FIRST = [
  'Cache-Control',
  'max-age=60',
  'ETag',
  '"v1"',
  'Cache-Status',
  'Inner; fwd=miss',
  'Cache-Status',
  'Outer; hit',
];

matrix(
  'what the cache did stands behind what caches before it have said, also when it is a hit',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: FIRST, body: 'stored' }] });
    const front = await gateway(cached(shop));
    const miss = await front.send({});
    expect(miss.all('cache-status').join(', ')).toBe(
      'Inner; fwd=miss, Outer; hit, headgate; fwd=uri-miss; fwd-status=200; stored',
    );
    const hit = await front.send({});
    expect(hit.all('cache-status').join(', ')).toMatch(/^Inner; fwd=miss, Outer; hit, headgate; hit; ttl=\d+$/);
  },
);

matrix(
  'what the gateway makes itself has no Cache-Status (RFC 9211 §2), and the log says why',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [] });
    const front = await gateway(cached(shop));
    const reply = await front.send({ headers: ['Cache-Control', 'only-if-cached'] });
    expect([reply.status, reply.header('cache-status')]).toEqual([504, null]);
    expect((await front.gateway.nextRecord()).cache?.result).toBe('unsatisfiable');
  },
);

matrix('a targeted field decides, and goes on to the client (RFC 9213 §3.1)', async ({ gateway, origin }) => {
  const headers = ['Cache-Control', 'no-store', 'Expires', '0', 'CDN-Cache-Control', 'max-age=600'];
  const shop = await origin({ script: [{ respond: 200, headers, body: 'stored' }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const hit = await front.send({});
  expect(hit.header('cache-status')).toMatch(/^headgate; hit; ttl=(600|599)$/);
  expect([hit.header('cache-control'), hit.header('expires'), hit.header('cdn-cache-control')]).toEqual([
    'no-store',
    '0',
    'max-age=600',
  ]);
});

matrix('a route listens to the fields of its own list, in order', async ({ gateway, origin }) => {
  const headers = [
    'CDN-Cache-Control',
    'no-store',
    'Edge-Control',
    'max-age=60',
    'Headgate-Cache-Control',
    'max-age=1, ,',
  ];
  const shop = await origin({ script: [{ respond: 200, headers, body: 'stored' }] });
  const front = await gateway(cached(shop, { targets: ['Headgate-Cache-Control', 'edge-control'] }));
  await front.send({});
  expect((await front.send({})).header('cache-status')).toMatch(/^headgate; hit; ttl=(60|59)$/);
});
