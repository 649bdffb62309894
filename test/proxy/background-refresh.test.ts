import { expect, test } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { origin } from '../kit/origin.ts';

/** Fresh for a minute, good for another ten while it is refreshed. */
const LENIENT = ['Cache-Control', 'max-age=60, stale-while-revalidate=600', 'ETag', '"1"'] as const;
const STORED = { respond: 200, headers: LENIENT, body: 'old' } as const;
const NEW = { respond: 200, headers: ['Cache-Control', 'max-age=60', 'ETag', '"2"'], body: 'new' } as const;

/** Route `all` with a cache. Scripts go on over minutes of the manual clock, on one connection. */
function cached(shop: { readonly port: number }, over: Forwarding = {}): TestConfig {
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}

matrix('a stale response is served at once, while the endpoint takes its time with a new one', async (stage) => {
  const held = Promise.withResolvers<void>();
  const shop = await stage.origin({ script: [STORED, 'read head', { wait: held.promise }, NEW] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  const stale = await front.send({ headers: ['X-Kind', 'any'] });
  expect([stale.status, stale.text, stale.header('age')]).toEqual([200, 'old', '63']);
  expect([stale.header('cache-status'), stale.header('proxy-status')]).toEqual(['headgate; hit; ttl=-3', null]);
  const asked = await shop.request(1);
  expect([asked.method, asked.header('if-none-match'), asked.header('x-kind')]).toEqual(['GET', '"1"', 'any']);
  held.resolve();
  const refresh = await front.gateway.refreshed(1);
  const served = front.gateway.records[1];
  expect(served).toMatchObject({ attempts: 0, endpoint: null, cache: { result: 'stale-while-revalidate' } });
  expect(refresh).toMatchObject({
    ...{ status: 200, route: 'all', pool: 'shop', attempts: 1, bytesOut: 3, end: { reason: 'complete' } },
    refresh: { servedTo: served?.id, result: 'replaced' },
  });
  const reply = await front.send({});
  expect([reply.text, reply.header('cache-status')]).toEqual(['new', 'headgate; hit; ttl=60']);
  expect([shop.requests, front.gateway.records.length]).toEqual([2, 3]);
});

matrix('a 304 makes a stale response fresh again', async (stage) => {
  const shop = await stage.origin({
    script: [STORED, 'read head', { respond: 304, headers: ['Cache-Control', 'max-age=30', 'ETag', '"1"'] }],
  });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  expect((await front.send({})).text).toBe('old');
  expect(await front.gateway.refreshed(1)).toMatchObject({ status: 200, refresh: { result: 'confirmed' } });
  const reply = await front.send({});
  expect([reply.text, reply.header('cache-status')]).toEqual(['old', 'headgate; hit; ttl=30']);
});

matrix('a response without a validator is fetched as a whole', async (stage) => {
  const plain = { ...STORED, headers: LENIENT.slice(0, 2) };
  const shop = await stage.origin({ script: [plain, NEW] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  expect((await front.send({})).text).toBe('old');
  await front.gateway.refreshed(1);
  expect((await front.send({})).text).toBe('new');
});

matrix(
  'fifty clients at once are served, and one request goes out',
  async (stage) => {
    const held = Promise.withResolvers<void>();
    const shop = await stage.origin({ script: [STORED, 'read head', { wait: held.promise }, NEW] });
    const clock = new ManualClock();
    const front = await stage.gateway(cached(shop), { clock });
    await front.send({});
    clock.advance(63_000);
    const replies = await Promise.all(Array.from({ length: 50 }, () => front.send({})));
    expect(new Set(replies.map(({ text }) => text))).toEqual(new Set(['old']));
    held.resolve();
    await front.gateway.refreshed(1);
    expect([shop.requests, front.gateway.refreshes.length]).toEqual([2, 1]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a client that will not have the stale one waits for the refresh that is under way, and asks nobody',
  async (stage) => {
    const held = Promise.withResolvers<void>();
    const shop = await stage.origin({ script: [STORED, 'read head', { wait: held.promise }, NEW] });
    const clock = new ManualClock();
    const front = await stage.gateway(cached(shop), { clock });
    await front.send({});
    clock.advance(63_000);
    expect((await front.send({})).text).toBe('old');
    await shop.request(1);
    const picky = await front.begin({ headers: ['Cache-Control', 'min-fresh=5'] });
    // It has come in when this one, which came after it, is answered.
    expect((await front.send({})).text).toBe('old');
    held.resolve();
    const reply = await picky.reply();
    expect([reply.text, shop.requests]).toEqual(['new', 2]);
  },
);

matrix('nothing is refreshed that a client asks for already', async (stage) => {
  const held = Promise.withResolvers<void>();
  const shop = await stage.origin({ script: [STORED, 'read head', { wait: held.promise }, NEW] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  const picky = await front.begin({ headers: ['Cache-Control', 'no-cache'] });
  await shop.request(1);
  expect((await front.send({})).text).toBe('old');
  held.resolve();
  expect((await picky.reply()).text).toBe('new');
  expect((await front.send({})).text).toBe('new');
  expect([shop.requests, front.gateway.refreshes.length]).toEqual([2, 0]);
});

matrix('a refresh that fails leaves it to those who wait to ask', async (stage) => {
  const held = Promise.withResolvers<void>();
  const shop = await stage.origin({
    // The connection of the answer that is not wanted may not be free yet.
    scripts: [[STORED, 'read head', { wait: held.promise }, 'respond 503', NEW], [NEW]],
  });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  expect((await front.send({})).text).toBe('old');
  await shop.request(1);
  const picky = await front.begin({ headers: ['Cache-Control', 'no-cache'] });
  expect((await front.send({})).text).toBe('old');
  held.resolve();
  expect((await picky.reply()).text).toBe('new');
  expect([(await front.gateway.refreshed(1)).refresh.result, shop.requests]).toEqual(['failed', 3]);
});

matrix('what the client has of its own is not what the refresh asks for', async (stage) => {
  const shop = await stage.origin({ script: [STORED, NEW] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  const reply = await front.send({
    method: 'HEAD',
    headers: [
      'If-None-Match',
      '"0"',
      'If-Modified-Since',
      'Fri, 20 Nov 2026 12:00:00 GMT',
      'Cache-Control',
      'max-stale=9',
    ],
  });
  expect([reply.status, reply.header('content-length')]).toEqual([200, '3']);
  const asked = await shop.request(1);
  expect([asked.method, asked.all('if-none-match')]).toEqual(['GET', ['"1"']]);
  expect([asked.header('if-modified-since'), asked.header('cache-control')]).toEqual([null, null]);
  await front.gateway.refreshed(1);
  expect((await front.send({})).text).toBe('new');
});

matrix('what edits make of a request, they make of its refresh', async (stage) => {
  const shop = await stage.origin({ script: [STORED, NEW] });
  const clock = new ManualClock();
  const requestHeaders = { set: { 'X-Tenant': '{cookie.tenant}' } };
  const route = { match: { path: '/shop/**' }, rewrite: { stripPrefix: '/shop' }, requestHeaders } as const;
  const front = await stage.gateway(cached(shop, { route }), { clock });
  const request = { path: '/shop/a?b=c', headers: ['Cookie', 'tenant=7'] };
  await front.send(request);
  clock.advance(63_000);
  expect((await front.send(request)).text).toBe('old');
  const asked = await shop.request(1);
  expect([asked.target, asked.header('x-tenant')]).toEqual(['/a?b=c', '7']);
  await front.gateway.refreshed(1);
  expect((await front.send(request)).text).toBe('new');
});

matrix(
  'a variant is refreshed in its place, by whatever the route makes of the fields that select it',
  async (stage) => {
    const vary = ['Vary', 'Accept-Encoding', 'Content-Encoding', 'gzip'];
    const script = [STORED, NEW].map((step) => ({ ...step, headers: [...step.headers, ...vary] }));
    const shop = await stage.origin({ script });
    const clock = new ManualClock();
    const front = await stage.gateway(cached(shop, { route: { cache: { key: { encodings: ['gzip'] } } } }), { clock });
    await front.send({ headers: ['Accept-Encoding', 'gzip, zstd'] });
    clock.advance(63_000);
    expect((await front.send({ headers: ['Accept-Encoding', 'br, gzip;q=0.9'] })).text).toBe('old');
    expect(await front.gateway.refreshed(1)).toMatchObject({ refresh: { result: 'replaced' } });
    expect((await front.send({ headers: ['Accept-Encoding', 'gzip'] })).text).toBe('new');
    expect(shop.requests).toBe(2);
  },
);

matrix('a refresh that fails reaches no client, and waits longer each time before it is tried again', async (stage) => {
  const shop = await stage.origin({ scripts: [[STORED, 'respond 503', 'respond 500', 'respond 502', NEW]] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  const ask = async () => {
    const reply = await front.send({});
    expect([reply.status, reply.text]).toEqual([200, 'old']);
  };
  for (const [failed, seconds] of [1, 2, 4].entries()) {
    await ask();
    expect(await front.gateway.refreshed(failed + 1)).toMatchObject({ refresh: { result: 'failed' } });
    clock.advance(seconds * 1000 - 1);
    for (let i = 0; i < 5; i += 1) await ask();
    expect(shop.requests).toBe(failed + 2);
    clock.advance(1);
  }
  await ask();
  await front.gateway.refreshed(4);
  expect((await front.send({})).text).toBe('new');
});

matrix('an error that could be stored does not take the place of a stale response', async (stage) => {
  const storable = { respond: 503, headers: ['Cache-Control', 'max-age=60'], body: 'sorry' } as const;
  const shop = await stage.origin({ script: [STORED, storable] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(63_000);
  await front.send({});
  await front.gateway.refreshed(1);
  expect((await front.send({})).text).toBe('old');
});

matrix('beyond its time the client waits for the endpoint, and gets what that says', async (stage) => {
  const shop = await stage.origin({ script: [STORED, 'respond 503'] });
  const clock = new ManualClock();
  const front = await stage.gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(660_000);
  expect((await front.send({})).status).toBe(503);
  expect(front.gateway.refreshes).toEqual([]);
});

for (const directive of ['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache']) {
  matrix(
    `what is marked ${directive} is never served stale while it is refreshed (RFC 9111 §4.2.4)`,
    async (stage) => {
      const headers = [...LENIENT, 'Cache-Control', directive];
      const shop = await stage.origin({ script: [{ ...STORED, headers }, NEW] });
      const clock = new ManualClock();
      const front = await stage.gateway(cached(shop, { route: { cache: { staleWhileRevalidate: '1h' } } }), { clock });
      await front.send({});
      clock.advance(63_000);
      expect((await front.send({})).text).toBe('new');
    },
    { without: ONE_PROTOCOL },
  );
}

test('the route allows it where the endpoint says nothing', async () => {
  const shop = await origin({ script: [{ ...STORED, headers: ['Cache-Control', 'max-age=60'] }, NEW] });
  const clock = new ManualClock();
  const gateway = await startTestGateway(cached(shop, { route: { cache: { staleWhileRevalidate: '10s' } } }), {
    clock,
  });
  await (await fetch(gateway.url())).text();
  clock.advance(63_000);
  expect(await (await fetch(gateway.url())).text()).toBe('old');
  await gateway.refreshed(1);
});

test('no more than so many refreshes are under way at once, and the metrics tell of those that had to wait', async () => {
  const held = Promise.withResolvers<void>();
  const shop = await origin({
    scripts: [
      [STORED, STORED, STORED, 'read head', { wait: held.promise }, NEW],
      ['read head', { wait: held.promise }, NEW],
    ],
  });
  const clock = new ManualClock();
  const gateway = await startTestGateway(cached(shop, { rest: { cache: { refreshes: 2 } } }), { clock });
  const get = async (path: string) => (await fetch(`${gateway.url()}${path}`)).text();
  for (const path of ['/a', '/b', '/c']) await get(path);
  clock.advance(63_000);
  for (const path of ['/a', '/b', '/c', '/c']) expect(await get(path)).toBe('old');
  await shop.request(4);
  const metrics = async () => (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  const while2 = await metrics();
  expect(while2).toContain('headgate_cache_refreshes_in_flight 2');
  expect(while2).toContain('headgate_cache_refreshes_skipped_total{route="all",reason="bound"} 2');
  held.resolve();
  await gateway.refreshed(2);
  expect([await get('/a'), await get('/b'), await get('/c')]).toEqual(['new', 'new', 'old']);
  await gateway.refreshed(3);
  const after = await metrics();
  expect(after).toContain('headgate_cache_refreshes_in_flight 0');
  expect(after).toContain('headgate_cache_refreshes_total{route="all",result="replaced"} 3');
  // They are nobody's exchanges.
  expect(after).toContain('headgate_http_requests_total{listener="web",route="all",status="2xx"} 10');
});

test('a gateway that drains cuts a refresh off and begins none', async () => {
  const shop = await origin({ script: [STORED, 'read head', 'silent'] });
  const clock = new ManualClock();
  const gateway = await startTestGateway(cached(shop), { clock });
  await (await fetch(gateway.url())).text();
  clock.advance(63_000);
  expect(await (await fetch(gateway.url())).text()).toBe('old');
  await shop.request(1);
  const drained = gateway.gateway.drain();
  expect(await gateway.refreshed(1)).toMatchObject({ end: { reason: 'refresh-cut-off', side: 'gateway' } });
  await shop.idle();
  // The client's connection was busy a moment ago, and is not waited for any longer than others.
  clock.advance(30_000);
  await drained;
});

test('a gateway that is overloaded refreshes nothing', async () => {
  const shop = await origin({ script: [STORED] });
  const clock = new ManualClock();
  let pressed = false;
  const pressure = () => ({ eventLoopDelayMs: pressed ? 10_000 : 0, memory: 0 });
  const gateway = await startTestGateway(cached(shop), { clock, pressure });
  await (await fetch(gateway.url())).text();
  pressed = true;
  clock.advance(63_000);
  expect(await (await fetch(gateway.url())).text()).toBe('old');
  const metrics = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('headgate_cache_refreshes_skipped_total{route="all",reason="overload"} 1');
  expect(shop.requests).toBe(1);
});

test('an endpoint that is full is refreshed from last', async () => {
  const held = Promise.withResolvers<void>();
  const shop = await origin({
    script: [STORED, 'read head', { wait: held.promise }, 'respond 200', 'respond 200', NEW],
  });
  const clock = new ManualClock();
  const limits = { inFlight: 1, queue: { size: 10 } };
  const gateway = await startTestGateway(cached(shop, { pool: { limits } }), { clock });
  const get = async (path: string) => (await fetch(`${gateway.url()}${path}`)).text();
  await get('/a');
  clock.advance(63_000);
  const first = get('/first');
  await shop.request(1);
  expect(await get('/a')).toBe('old');
  const second = get('/second');
  await until(() => gateway.status().pools[0]?.limits?.queued === 2, 'two to wait');
  held.resolve();
  await Promise.all([first, second]);
  await gateway.refreshed(1);
  expect(shop.received.map(({ target }) => target)).toEqual(['/a', '/first', '/second', '/a']);
});

test('nothing is left of three hundred refreshes', async () => {
  const shop = await origin({
    script: [{ ...STORED, headers: ['Cache-Control', 'max-age=0, stale-while-revalidate=60'] }],
  });
  const gateway = await startTestGateway(cached(shop));
  for (let i = 0; i < 300; i += 1) {
    await (await fetch(gateway.url())).text();
    if (i > 0) await gateway.refreshed(i);
  }
  expect(shop.requests).toBe(300);
  const metrics = await (await fetch(`${gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('headgate_cache_refreshes_in_flight 0');
});
