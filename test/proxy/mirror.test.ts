import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';

type Mirror = NonNullable<NonNullable<TestConfig['routes']>[number]['mirror']>;
type Pool = NonNullable<TestConfig['pools']>[string];
interface Place {
  readonly port: number;
}

/** Route `all` to pool `shop`, with copies for pool `shadow`. */
function copying(shop: Place, shadow: Place, mirror: Partial<Mirror> = {}, pool: Partial<Pool> = {}): TestConfig {
  const at = ({ port }: Place) => `127.0.0.1:${port}`;
  return {
    pools: { shop: { endpoints: [at(shop)] }, shadow: { endpoints: [at(shadow)], ...pool } },
    routes: [{ name: 'all', pool: 'shop', mirror: { pool: 'shadow', ...mirror } }],
  };
}

/** `headgate_mirror…` lines without the labels that are the same in all. */
async function figures({ gateway }: TestGateway): Promise<readonly string[]> {
  const text = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
  const lines = text.split('\n').filter((line) => line.startsWith('headgate_mirror'));
  return lines.map((line) => line.replace('route="all",pool="shadow"', '').replace('{,', '{').replace('{}', ''));
}

const shadowInFlight = (gateway: TestGateway) =>
  gateway.status().pools.find(({ name }) => name === 'shadow')?.endpoints[0]?.inFlight;

matrix('another pool gets the same request, with a mark, and the client hears nothing of it', async ({ gateway }) => {
  const shop = await origin({ script: [{ respond: 200, body: 'shop' }] });
  const shadow = await origin({ script: [{ respond: 500, body: 'shadow', headers: ['Set-Cookie', 'a=b'] }] });
  const front = await gateway(copying(shop, shadow, {}, { affinity: {} }));
  const reply = await front.send({
    method: 'POST',
    path: '/cart?x=1',
    headers: ['X-A', 'b', 'X-Headgate-Mirror', 'forged'],
    body: 'abcdef',
  });
  expect([reply.status, reply.text, reply.header('set-cookie')]).toEqual([200, 'shop', null]);
  const copy = await shadow.complete();
  const original = shop.received[0];
  expect([copy.method, copy.target, copy.body.toString()]).toEqual(['POST', '/cart?x=1', 'abcdef']);
  const field = (of: typeof copy | undefined, name: string) => of?.header(name);
  expect(field(copy, 'x-headgate-mirror')).toBe('shop');
  expect(field(original, 'x-headgate-mirror')).toBeNull();
  for (const name of ['host', 'x-a', 'x-request-id', 'x-forwarded-for', 'via']) {
    expect(field(copy, name)).toBe(field(original, name));
  }
  expect(await front.gateway.nextRecord()).toMatchObject({ status: 200, pool: 'shop', attempts: 1, fallback: null });
  await until(() => shadowInFlight(front.gateway) === 0, 'the copy to be over');
});

test('no client can pass a request off as a copy, on routes without a mirror neither; a gateway that is trusted can', async () => {
  const shadow = await origin();
  const pools = { shadow: { endpoints: [`127.0.0.1:${shadow.port}`] } };
  const routes = [{ pool: 'shadow' }];
  const headers = { 'X-Headgate-Mirror': 'shop' };
  await fetch((await startTestGateway({ pools, routes })).url(), { headers });
  const trusting = { web: { port: 0, trustedProxies: ['127.0.0.1'] } };
  await fetch((await startTestGateway({ listeners: trusting, pools, routes })).url(), { headers });
  expect(shadow.received.map((request) => request.header('x-headgate-mirror'))).toEqual([null, 'shop']);
});

test('the share is of requests, by chance', async () => {
  const shop = await origin();
  const shadow = await origin();
  const gateway = await startTestGateway(copying(shop, shadow, { share: '50%' }));
  for (let i = 0; i < 60; i += 1) await (await fetch(gateway.url())).text();
  await until(() => shadowInFlight(gateway) === 0, 'all copies to be over');
  // Outside once in 10^17.
  expect(shadow.requests).toBeGreaterThan(0);
  expect(shadow.requests).toBeLessThan(60);
  expect(await figures(gateway)).toContain(`headgate_mirrored_total ${shadow.requests}`);
});

matrix('a body that is too large for a copy is not copied, announced or not', async ({ gateway }) => {
  const shop = await origin();
  const shadow = await origin();
  const front = await gateway(copying(shop, shadow, { bodyBuffer: 4 }));
  expect((await front.send({ method: 'POST', body: 'abcde' })).status).toBe(200);
  expect((await front.send({ method: 'POST', body: 'abcde', chunked: true })).status).toBe(200);
  expect((await front.send({ method: 'POST', body: 'abcd', chunked: true })).status).toBe(200);
  const copy = await shadow.complete();
  expect([copy.body.toString(), copy.header('content-length'), copy.header('transfer-encoding')]).toEqual([
    'abcd',
    '4',
    null,
  ]);
  expect(await figures(front.gateway)).toContain('headgate_mirror_dropped_total{reason="body-too-large"} 2');
  expect(shadow.requests).toBe(1);
});

matrix(
  'a client that leaves in the middle of its body has no copy sent, and nothing of it is kept',
  async ({ gateway }) => {
    const shop = await origin();
    const shadow = await origin();
    const front = await gateway(copying(shop, shadow));
    const exchange = await front.begin({ method: 'POST', length: 100 });
    await exchange.write('abc');
    await shop.request();
    exchange.leave();
    await front.gateway.nextRecord();
    expect(await figures(front.gateway)).toContain('headgate_mirror_dropped_total{reason="body-incomplete"} 1');
    expect(await figures(front.gateway)).toContain('headgate_mirror_in_flight 0');
    expect(shadow.accepted).toBe(0);
  },
);

const bad = {
  refuses: async () => ({ port: await deadPort() }),
  'resets after the head': () => origin({ script: ['read head', 'reset'] }),
  'sends no HTTP': () => origin({ script: ['read head', { send: 'SMTP 220\r\n\r\n' }, 'close'] }),
  'promises more than it sends': () =>
    origin({ script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab' }, 'close'] }),
  'switches protocols unasked': () =>
    origin({
      script: ['read head', { send: 'HTTP/1.1 101 X\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n' }, 'silent'],
    }),
} as const;

for (const [name, start] of Object.entries(bad)) {
  matrix(
    `a mirror that ${name} leaves the client's response and the log as they are, and no copy in flight`,
    async ({ gateway }) => {
      const shop = await origin({ script: [{ respond: 200, body: 'shop' }] });
      const front = await gateway(copying(shop, await start()));
      for (let i = 0; i < 3; i += 1) {
        expect((await front.send({ method: 'POST', body: 'abc' })).text).toBe('shop');
        expect(await front.gateway.nextRecord()).toMatchObject({
          status: 200,
          pool: 'shop',
          attempts: 1,
          end: { side: 'gateway', reason: 'complete', error: null },
        });
      }
      await until(() => shadowInFlight(front.gateway) === 0, 'all copies to be over');
      expect(await figures(front.gateway)).toContain('headgate_mirror_in_flight 0');
      expect(shop.requests).toBe(3);
    },
    { without: ONE_PROTOCOL },
  );
}

test('a black hole holds as many copies as may be, for as long as may be; the others are dropped and no client waits', async () => {
  const shop = await origin();
  const hole = await origin({ script: ['read head', 'silent'] });
  const clock = new ManualClock();
  const gateway = await startTestGateway(copying(shop, hole, { inFlight: 2, timeout: '1s' }), { clock });
  for (let i = 0; i < 5; i += 1) expect((await fetch(gateway.url())).status).toBe(200);
  expect(await figures(gateway)).toEqual(
    expect.arrayContaining([
      'headgate_mirrored_total 2',
      'headgate_mirror_dropped_total{reason="in-flight"} 3',
      'headgate_mirror_in_flight 2',
    ]),
  );
  await hole.request(1);
  clock.advance(1_200);
  await hole.idle();
  expect(shadowInFlight(gateway)).toBe(0);
  expect(await figures(gateway)).toContain('headgate_mirror_failed_total{reason="attempt-timeout"} 2');
  expect((await fetch(gateway.url())).status).toBe(200);
  expect(await figures(gateway)).toContain('headgate_mirrored_total 3');
  await hole.request(2);
  clock.advance(1_200);
  await hole.idle();
});

test('an endless response of a mirror is cut off', async () => {
  const shop = await origin();
  const endless = await origin({
    script: ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n' }, { fill: 50_000_000 }],
  });
  const gateway = await startTestGateway(copying(shop, endless));
  expect((await fetch(gateway.url())).status).toBe(200);
  await endless.connected();
  await endless.closed();
  expect(shadowInFlight(gateway)).toBe(0);
  expect(await figures(gateway)).toContain('headgate_mirror_answered_total{status="2xx"} 1');
});

test('a breaker of the mirror’s pool keeps copies from it, and nothing else', async () => {
  const shop = await origin();
  const shadow = await origin({ script: ['respond 503'] });
  const gateway = await startTestGateway(copying(shop, shadow, {}, { breaker: { consecutive: 1 } }));
  expect((await fetch(gateway.url())).status).toBe(200);
  await shadow.complete();
  await until(() => gateway.status().pools[1]?.breaker?.state === 'tripped', 'the breaker to trip');
  expect((await fetch(gateway.url())).status).toBe(200);
  expect(await figures(gateway)).toContain('headgate_mirror_dropped_total{reason="breaker-open"} 1');
  expect(shadow.requests).toBe(1);
});

test('a request that is sent again is copied once, and an upgrade not at all', async () => {
  const shop = await origin({
    scripts: [['read head', 'read body', 'close'], ['respond 200'], ['read head', 'upgrade', 'close']],
  });
  const shadow = await origin();
  const gateway = await startTestGateway({
    ...copying(shop, shadow),
    routes: [{ name: 'all', pool: 'shop', mirror: { pool: 'shadow' }, retry: { on: ['reset'] } }],
  });
  const reply = await fetch(gateway.url(), { method: 'PUT', body: 'abc', headers: { connection: 'close' } });
  expect([reply.status, shop.requests]).toEqual([200, 2]);
  expect((await shadow.complete()).body.toString()).toBe('abc');
  await until(() => shadowInFlight(gateway) === 0, 'the copy to be over');
  expect(await figures(gateway)).toContain('headgate_mirrored_total 1');
});

test('what the cache answers is not copied', async () => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const shadow = await origin();
  const config = copying(shop, shadow);
  const gateway = await startTestGateway({ ...config, routes: [{ ...config.routes?.[0], cache: true }] });
  for (let i = 0; i < 3; i += 1) await (await fetch(gateway.url())).text();
  await until(() => shadowInFlight(gateway) === 0, 'the copy to be over');
  expect([shop.requests, await figures(gateway)]).toEqual([1, expect.arrayContaining(['headgate_mirrored_total 1'])]);
});

test('routes without a mirror have no such metrics', async () => {
  const shop = await origin();
  const gateway = await startTestGateway(forwardTo(shop));
  expect((await figures(gateway)).filter((line) => !line.startsWith('#'))).toEqual([]);
});
