import { expect, test } from 'vitest';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';

type Route = NonNullable<TestConfig['routes']>[number];
type Pool = NonNullable<TestConfig['pools']>[string];
interface Place {
  readonly port: number;
}

const at = ({ port }: Place) => `127.0.0.1:${port}`;

/** Route `all` to pool `shop`, with a pool `spare` beside it. */
function withSpare(shop: Place, spare: Place, route: Partial<Route>, pool: Partial<Pool> = {}): TestConfig {
  return {
    pools: { shop: { endpoints: [at(shop)], ...pool }, spare: { endpoints: [at(spare)] } },
    routes: [{ name: 'all', pool: 'shop', ...route }],
  };
}

const dead = async (): Promise<Place> => ({ port: await deadPort() });
const SORRY = { respond: { status: 503, body: 'back soon', headers: { 'Cache-Control': 'no-store' } } } as const;

matrix('another pool answers when the first can’t be reached, and the log says why', async ({ gateway }) => {
  const spare = await origin({ script: [{ respond: 200, body: 'spare' }] });
  const front = await gateway(withSpare(await dead(), spare, { fallback: [{ pool: 'spare' }] }));
  const reply = await front.send({ method: 'POST', path: '/cart?x=1', body: 'abc' });
  expect([reply.status, reply.text]).toEqual([200, 'spare']);
  expect(spare.received[0]).toMatchObject({ method: 'POST', target: '/cart?x=1' });
  expect(spare.received[0]?.body.toString()).toBe('abc');
  expect(await front.gateway.nextRecord()).toMatchObject({
    status: 200,
    pool: 'spare',
    attempts: 2,
    fallback: { kind: 'pool', why: 'connection-refused' },
    end: { reason: 'complete', error: null },
  });
});

matrix(
  'a request that may have been acted upon goes to no other pool, one that is idempotent does',
  async ({ gateway }) => {
    const shop = await origin({ script: ['read head', 'read body', 'reset'] });
    const spare = await origin();
    const front = await gateway(withSpare(shop, spare, { fallback: [{ pool: 'spare' }, SORRY] }));
    const post = await front.send({ method: 'POST', body: 'abc' });
    expect([post.status, post.text, spare.requests]).toEqual([503, 'back soon', 0]);
    expect(post.header('proxy-status')).toBe('headgate; error=connection_terminated');
    const put = await front.send({ method: 'PUT', body: 'abcdef' });
    expect([put.status, spare.requests, spare.received[0]?.body.toString()]).toEqual([200, 1, 'abcdef']);
  },
);

matrix('a body that is not kept any more goes nowhere else', async ({ gateway }) => {
  const shop = await origin({ script: ['read head', 'read 4 bytes', 'reset'] });
  const spare = await origin();
  const front = await gateway(withSpare(shop, spare, { fallback: [{ pool: 'spare' }], retry: { bodyBuffer: 0 } }));
  const reply = await front.send({ method: 'PUT', body: 'abcdefgh' });
  expect([reply.status, spare.requests]).toEqual([502, 0]);
});

matrix('the steps are taken one after the other, until one can answer', async ({ gateway }) => {
  const front = await gateway({
    pools: {
      a: { endpoints: [at(await dead())] },
      b: { endpoints: [at(await dead()), at(await dead())] },
      c: { endpoints: [at(await origin({ script: ['read head', 'close'] }))] },
    },
    routes: [{ pool: 'a', cache: true, fallback: [{ pool: 'b' }, { pool: 'c' }, 'stale', SORRY] }],
  });
  const reply = await front.send({});
  expect([reply.status, reply.text, reply.header('proxy-status')]).toEqual([
    503,
    'back soon',
    'headgate; error=connection_terminated',
  ]);
  expect(await front.gateway.nextRecord()).toMatchObject({
    attempts: 4,
    pool: 'c',
    fallback: { kind: 'respond', why: 'connection-closed-without-response' },
    end: { side: 'upstream', error: 'connection_terminated' },
  });
});

matrix(
  'a pool whose breaker has tripped falls back at once, and a fixed 503 says when to come again',
  async (stage) => {
    const shop = await stage.origin({ script: ['respond 503'] });
    const front = await stage.gateway(
      withSpare(shop, await dead(), { fallback: [SORRY] }, { breaker: { consecutive: 1, open: '30s' } }),
    );
    const first = await front.send({});
    expect([first.status, first.text]).toEqual([503, 'ok\n']);
    const second = await front.send({});
    expect([second.status, second.text, second.header('cache-control')]).toEqual([503, 'back soon', 'no-store']);
    expect(Number(second.header('retry-after'))).toBeGreaterThan(20);
    expect(shop.requests).toBe(1);
    await front.gateway.nextRecord();
    expect(await front.gateway.nextRecord()).toMatchObject({
      attempts: 0,
      fallback: { kind: 'respond', why: 'breaker-open' },
      end: { side: 'upstream', reason: 'breaker-open' },
    });
  },
);

const FRESH_MINUTE = { respond: 200, body: 'stored', headers: ['Cache-Control', 'max-age=60', 'ETag', '"1"'] } as const;

matrix('what is stored answers when its origin can’t, however stale, with its age and why', async ({ gateway }) => {
  const shop = await origin({
    scripts: [
      [FRESH_MINUTE, 'read head', 'reset'],
      ['read head', 'reset'],
    ],
  });
  const clock = new ManualClock();
  const front = await gateway(withSpare(shop, await dead(), { cache: true, fallback: ['stale'] }), { clock });
  expect((await front.send({})).text).toBe('stored');
  clock.advance(120_000);
  const reply = await front.send({});
  expect([reply.status, reply.text, reply.header('age')]).toEqual([200, 'stored', '120']);
  expect(reply.header('cache-status')).toBe('headgate; fwd=stale; ttl=-60; detail=connection-closed-without-response');
  const reload = await front.send({ headers: ['Cache-Control', 'no-cache'] });
  expect(reload.status).toBe(502);
  const known = await front.send({ headers: ['If-None-Match', '"1"'] });
  expect([known.status, known.body.length]).toEqual([304, 0]);
  expect(front.gateway.records[1]).toMatchObject({
    status: 200,
    fallback: { kind: 'stale', why: 'connection-closed-without-response' },
    end: { reason: 'complete', error: null },
  });
});

test('a stored response is too old, or its origin forbids it: then the next step', async () => {
  const mustRevalidate = { ...FRESH_MINUTE, headers: ['Cache-Control', 'max-age=60, must-revalidate'] } as const;
  const shop = await origin({
    scripts: [
      [mustRevalidate, FRESH_MINUTE, 'end'],
      ['read head', 'reset'],
    ],
  });
  const clock = new ManualClock();
  const gateway = await startTestGateway(
    withSpare(shop, await dead(), { cache: true, fallback: [{ stale: { maxAge: '5m' } }, SORRY] }),
    { clock },
  );
  const ask = async (path: string) => (await fetch(gateway.url() + path, { headers: { connection: 'close' } })).text();
  expect([await ask('/strict'), await ask('/')]).toEqual(['stored', 'stored']);
  clock.advance(120_000);
  expect([await ask('/strict'), await ask('/')]).toEqual(['back soon', 'stored']);
  clock.advance(200_000);
  expect(await ask('/')).toBe('back soon');
});

test('what the other pool says is not stored as an answer of the first', async () => {
  const shop = await origin({ scripts: [['read head', 'reset'], [FRESH_MINUTE]] });
  const spare = await origin({ script: [{ ...FRESH_MINUTE, body: 'spare' }] });
  const gateway = await startTestGateway(withSpare(shop, spare, { cache: true, fallback: [{ pool: 'spare' }] }));
  const first = await fetch(gateway.url());
  expect([await first.text(), first.headers.get('cache-status')]).toEqual([
    'spare',
    'headgate; fwd=uri-miss; detail=fallback',
  ]);
  expect(await (await fetch(gateway.url())).text()).toBe('stored');
});

matrix('only the failures that are listed lead to a fallback, statuses among them', async ({ gateway }) => {
  const shop = await origin({
    scripts: [['respond 503', 'respond 500', 'read head', 'reset'], ['respond 200']],
  });
  const spare = await origin({ script: [{ respond: 200, body: 'spare' }] });
  const front = await gateway(
    withSpare(shop, spare, { fallback: { on: [503, 'timeout'], steps: [{ pool: 'spare' }] }, retry: { attempts: 1 } }),
  );
  const replies = [await front.send({}), await front.send({}), await front.send({})];
  expect(replies.map(({ status }) => status)).toEqual([200, 500, 502]);
  expect(replies[0]?.text).toBe('spare');
  expect(front.gateway.records[0]).toMatchObject({ pool: 'spare', fallback: { kind: 'pool', why: 'status-503' } });
  expect(front.gateway.records[1]?.fallback).toBeNull();
});

matrix('an unwanted response that there is nothing better for is delivered', async ({ gateway }) => {
  const shop = await origin({ script: [{ respond: 503, body: 'as it is' }] });
  const spare = await origin();
  const front = await gateway(
    withSpare(shop, spare, { cache: true, fallback: { on: [503], steps: ['stale', { pool: 'spare' }] } }),
  );
  const reply = await front.send({ method: 'POST', body: 'abc' });
  expect([reply.status, reply.text, spare.requests]).toEqual([503, 'as it is', 0]);
});

matrix(
  'the other pool has only the time that is left, and none when the exchange is over time',
  async ({ gateway }) => {
    const shop = await origin({ script: ['read head', 'silent'] });
    const spare = await origin();
    const clock = new ManualClock();
    const front = await gateway(
      withSpare(shop, spare, { timeouts: { total: '3s' }, fallback: [{ pool: 'spare' }, SORRY] }),
      { clock },
    );
    const exchange = await front.begin({});
    await shop.request();
    clock.advance(3_200);
    expect((await exchange.reply()).text).toBe('back soon');
    expect(spare.requests).toBe(0);
    await shop.idle();
  },
  { without: ONE_PROTOCOL },
);

matrix('a client that leaves while the other pool is asked releases that as well', async ({ gateway }) => {
  const spare = await origin({ script: ['read head', 'silent'] });
  const front = await gateway(withSpare(await dead(), spare, { fallback: [{ pool: 'spare' }, SORRY] }));
  const exchange = await front.begin({});
  await spare.request();
  exchange.leave();
  await spare.idle();
  expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, end: { side: 'client' } });
});

test('sessions at the other pool are that pool’s own, and its breaker refuses like any', async () => {
  const spare = await origin({ scripts: [['respond 200', 'respond 503']] });
  const config = withSpare(await dead(), spare, { fallback: [{ pool: 'spare' }, SORRY] });
  const gateway = await startTestGateway({
    ...config,
    pools: {
      shop: { endpoints: [at(await dead())], affinity: {} },
      spare: { endpoints: [at(spare)], affinity: {}, breaker: { consecutive: 1 } },
    },
  });
  const first = await fetch(gateway.url());
  expect(first.headers.getSetCookie().map((cookie) => cookie.split('=')[0])).toEqual(['headgate-spare']);
  expect((await fetch(gateway.url())).status).toBe(503);
  expect(await (await fetch(gateway.url())).text()).toBe('back soon');
  expect(spare.requests).toBe(2);
});

test('metrics and the access log tell fallbacks by kind and reason', async () => {
  const spare = await origin();
  const gateway = await startTestGateway(withSpare(await dead(), spare, { fallback: [{ pool: 'spare' }] }));
  await (await fetch(gateway.url())).text();
  await gateway.nextRecord();
  const text = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  expect(text).toContain(
    'headgate_http_fallbacks_total{listener="web",route="all",kind="pool",reason="connection-refused"} 1',
  );
});
