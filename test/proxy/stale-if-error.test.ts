import { expect, test } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, origin } from '../kit/origin.ts';
import type { Script, Step } from '../kit/script.ts';

interface Place {
  readonly port: number;
}

/** Fresh for a minute, good for another ten while its endpoint fails. */
const STORED = {
  respond: 200,
  body: 'stored',
  headers: ['Cache-Control', 'max-age=60, stale-if-error=600', 'ETag', '"1"'],
} as const;

/** Route `all` with a cache. Scripts go on over minutes of the manual clock, on one connection. */
function cached(shop: Place, over: Forwarding = {}): TestConfig {
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}

const failures: readonly { what: string; script: Script; detail: string; proxyStatus: string; attempts: number }[] = [
  {
    what: 'resets',
    script: ['read head', 'reset'],
    detail: 'connection-closed-without-response',
    proxyStatus: 'error=connection_terminated',
    // The connection had been used before: that is repeated once.
    attempts: 2,
  },
  {
    what: 'speaks no HTTP',
    script: ['read head', { send: 'nonsense\r\n\r\n' }, 'end'],
    detail: 'malformed-response',
    proxyStatus: 'error=http_protocol_error',
    attempts: 1,
  },
  ...[500, 502, 503, 504].map((status) => ({
    what: `answers ${status}`,
    script: [`respond ${status}` as Step],
    detail: `status-${status}`,
    proxyStatus: `received-status=${status}`,
    attempts: 1,
  })),
];

for (const { what, script, detail, proxyStatus, attempts } of failures) {
  matrix(`what is stored answers while its endpoint ${what}, and the error when its time is over`, async (stage) => {
    const shop = await stage.origin({ scripts: [[STORED, ...script, ...script, ...script], script] });
    const clock = new ManualClock();
    const front = await stage.gateway(cached(shop), { clock });
    await front.send({});
    clock.advance(90_000);
    const reply = await front.send({});
    expect([reply.status, reply.text, reply.header('age')]).toEqual([200, 'stored', '90']);
    const fwdStatus = detail.startsWith('status-') ? ` fwd-status=${detail.slice(7)};` : '';
    expect(reply.header('cache-status')).toBe(`headgate; fwd=stale;${fwdStatus} ttl=-30; detail=${detail}`);
    expect(reply.header('proxy-status')).toBe(`headgate; ${proxyStatus}`);
    clock.advance(570_000);
    expect((await front.send({})).header('cache-status')).toContain('ttl=-600;');
    clock.advance(1_000);
    const over = await front.send({});
    expect(over.status).toBeGreaterThanOrEqual(500);
    expect(over.text).not.toBe('stored');
    await front.gateway.nextRecord();
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 200, attempts, cache: { result: 'stale-if-error', why: 'stale' } },
      ...{ fallback: { kind: 'stale', why: detail }, end: { reason: 'complete', error: null } },
    });
  });
}

matrix('what is stored answers while nobody listens, HEAD and conditional requests too', async (stage) => {
  const shop = await stage.origin({ script: [STORED] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  await shop.close();
  clock.advance(90_000);
  const reply = await front.send({});
  expect([reply.status, reply.text]).toEqual([200, 'stored']);
  expect(reply.header('cache-status')).toMatch(/^headgate; fwd=stale; ttl=-30; detail=connection-/);
  const head = await front.send({ method: 'HEAD' });
  expect([head.status, head.header('content-length'), head.text]).toEqual([200, '6', '']);
  const known = await front.send({ headers: ['If-None-Match', '"1"'] });
  expect([known.status, known.body.length]).toEqual([304, 0]);
});

matrix('what is stored answers when its endpoint takes too long', async (stage) => {
  const shop = await stage.origin({ script: [STORED, 'read head', 'silent'] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop, { route: { timeouts: { head: '5s' } } }), { clock });
  await front.send({});
  clock.advance(90_000);
  const exchange = await front.begin({});
  await shop.request(1);
  clock.advance(6_000);
  const reply = await exchange.reply();
  expect([reply.status, reply.text]).toEqual([200, 'stored']);
  expect(reply.header('proxy-status')).toBe('headgate; error=http_response_timeout');
});

matrix('retries come first', async (stage) => {
  const staleAtOnce = { ...STORED, headers: ['Cache-Control', 'max-age=0, stale-if-error=600', 'ETag', '"1"'] };
  const shop = await stage.origin({
    script: [staleAtOnce, 'respond 503', 'respond 503', 'respond 503', 'respond 200'],
  });
  const front = await stage.gateway(cached(shop, { route: { retry: { attempts: 2, on: [503] } } }));
  await front.send({});
  const stored = await front.send({});
  expect([stored.text, shop.requests]).toEqual(['stored', 3]);
  const retried = await front.send({});
  expect([retried.text, shop.requests]).toEqual(['ok\n', 5]);
});

matrix('nobody is asked while the breaker has tripped, and what is stored answers', async (stage) => {
  const shop = await stage.origin({ script: [STORED, 'respond 503'] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop, { pool: { breaker: { consecutive: 1, open: '30s' } } }), { clock });
  await front.send({});
  clock.advance(90_000);
  await front.send({});
  const reply = await front.send({});
  expect([reply.status, reply.text, shop.requests]).toEqual([200, 'stored', 2]);
  expect(reply.header('cache-status')).toBe('headgate; fwd=stale; ttl=-30; detail=breaker-open');
  for (let i = 0; i < 2; i += 1) await front.gateway.nextRecord();
  expect(await front.gateway.nextRecord()).toMatchObject({ attempts: 0, fallback: { why: 'breaker-open' } });
  const other = await front.send({ path: '/other' });
  expect(other.status).toBe(503);
});

matrix('an error that could be stored does not take the place of what answers for it', async (stage) => {
  const storable = { respond: 503, headers: ['Cache-Control', 'max-age=60'], body: 'sorry' } as const;
  const shop = await stage.origin({ script: [STORED, storable, storable] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(90_000);
  expect((await front.send({})).text).toBe('stored');
  expect((await front.send({})).text).toBe('stored');
  expect(shop.requests).toBe(3);
});

matrix('it comes before the fallbacks of the route', async (stage) => {
  const shop = await stage.origin({ script: [STORED] });
  const spare = await stage.origin({ script: [{ respond: 200, body: 'spare' }] });
  const clock = new ManualClock();
  const config = cached(shop, { route: { fallback: [{ pool: 'spare' }] } });
  const pools = { ...config.pools, spare: { endpoints: [`127.0.0.1:${spare.port}`] } };
  const front = await stage.gateway({ ...config, pools }, { clock });
  await front.send({});
  await shop.close();
  clock.advance(90_000);
  expect((await front.send({})).text).toBe('stored');
  expect((await front.send({ path: '/other' })).text).toBe('spare');
});

matrix(
  'the route may allow it where the endpoint says nothing, and the client where nobody does',
  async (stage) => {
    const plain = { respond: 200, body: 'stored', headers: ['Cache-Control', 'max-age=60', 'ETag', '"1"'] } as const;
    for (const allowed of [true, false]) {
      const shop = await stage.origin({ script: [plain] });
      const clock = new ManualClock();
      const cache = allowed ? { staleIfError: '1h' } : true;
      const front = await stage.gateway(cached(shop, { route: { cache } }), { clock });
      await front.send({});
      await shop.close();
      clock.advance(90_000);
      expect((await front.send({})).status).toBe(allowed ? 200 : 502);
      expect((await front.send({ headers: ['Cache-Control', 'stale-if-error=60'] })).status).toBe(200);
      expect((await front.send({ headers: ['Cache-Control', 'stale-if-error=10'] })).status).toBe(502);
      expect((await front.send({ headers: ['Cache-Control', 'no-cache'] })).status).toBe(502);
    }
  },
  { without: ONE_PROTOCOL },
);

for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache']) {
  matrix(
    `what is marked ${directive} is never served stale because of an error (RFC 9111 §4.2.4)`,
    async (stage) => {
      const headers = [...STORED.headers, 'Cache-Control', directive];
      const shop = await stage.origin({ script: [{ ...STORED, headers }, 'respond 503'] });
      const clock = new ManualClock();
      const front = await stage.gateway(cached(shop, { route: { cache: { staleIfError: '1h' } } }), { clock });
      await front.send({});
      clock.advance(90_000);
      expect((await front.send({})).status).toBe(503);
    },
    { without: ONE_PROTOCOL },
  );
}

test('a gateway that is overloaded serves what is stored in place of a refusal', async () => {
  const shop = await origin({ script: [STORED] });
  const clock = new ManualClock();
  let pressed = false;
  const pressure = () => ({ eventLoopDelayMs: pressed ? 10_000 : 0, memory: 0 });
  const gateway = await startTestGateway(cached(shop), { clock, pressure });
  const get = async (path: string) => fetch(`${gateway.url()}${path}`);
  expect(await (await get('/a')).text()).toBe('stored');
  clock.advance(90_000);
  pressed = true;
  clock.advance(2_000);
  const reply = await get('/a');
  expect([reply.status, await reply.text(), reply.headers.get('cache-status')]).toEqual([
    200,
    'stored',
    'headgate; fwd=stale; ttl=-32; detail=overloaded',
  ]);
  expect((await get('/b')).status).toBe(503);
  expect(shop.requests).toBe(1);
});

test('nothing is stored, so the error is passed on', async () => {
  const gateway = await startTestGateway(
    cached({ port: await deadPort() }, { route: { cache: { staleIfError: '1h' } } }),
  );
  expect((await fetch(gateway.url())).status).toBe(502);
});
