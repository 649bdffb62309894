import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

type Route = NonNullable<Forwarding['route']>;

const FRESH = ['Cache-Control', 'max-age=60'];

function cached(shop: Origin, cache: Route['cache'], route: Route = {}): TestConfig {
  const pool = { connections: { keepAlive: '1h' } };
  return forwardTo(shop, { pool, route: { ...route, cache } });
}

/** An answer a body, each fresh for a minute. */
function answers(...bodies: readonly string[]): { readonly script: readonly Step[] } {
  return { script: bodies.flatMap((body) => ['read head', { respond: 200, headers: FRESH, body }] as const) };
}

matrix('parameters that don’t count share a stored response, and reach the endpoint', async ({ gateway, origin }) => {
  const shop = await origin(answers('a', 'b'));
  const key = { query: { sort: true, drop: ['utm_*', 'gclid'] } };
  const connection = await (await gateway(cached(shop, { key }))).connect();
  const ask = async (path: string): Promise<string> => (await connection.send({ path })).text;
  expect(await ask('/a?b=2&utm_source=x&a=1')).toBe('a');
  expect(await ask('/a?a=1&b=2&gclid=7')).toBe('a');
  expect(await ask('/a?a=1&b=2')).toBe('a');
  expect(await ask('/a?a=2&b=2')).toBe('b');
  expect(shop.received.map(({ target }) => target)).toEqual(['/a?b=2&utm_source=x&a=1', '/a?a=2&b=2']);
});

matrix('the same with a path that is rewritten, and a parameter that is removed', async ({ gateway, origin }) => {
  const shop = await origin(answers('a', 'b'));
  const route = { rewrite: { prefix: '/x' }, match: { path: '/a/**' }, query: { remove: ['gclid'] } };
  const config = cached(shop, { key: { query: { drop: ['gclid', 'utm_*'] } } }, route);
  const connection = await (await gateway(config)).connect();
  const ask = async (path: string): Promise<string> => (await connection.send({ path })).text;
  expect([await ask('/a/b?gclid=1&utm_id=1'), await ask('/a/b?utm_id=2'), await ask('/a/b?c')]).toEqual([
    'a',
    'a',
    'b',
  ]);
  expect(shop.received.map(({ target }) => target)).toEqual(['/x/b?utm_id=1', '/x/b?c']);
});

matrix('what an edit writes into the query keeps responses apart, whatever the key leaves out', async (stage) => {
  const shop = await stage.origin(answers('a', 'b'));
  const route = { query: { set: { tenant: '{header.x-tenant}' } } };
  const connection = await (await stage.gateway(cached(shop, { key: { query: { keep: ['page'] } } }, route))).connect();
  const ask = async (tenant: string, path: string): Promise<string> =>
    (await connection.send({ path, headers: ['X-Tenant', tenant] })).text;
  expect(await ask('one', '/?page=1&x=1')).toBe('a');
  expect(await ask('two', '/?page=1')).toBe('b');
  expect(await ask('one', '/?x=2&page=1')).toBe('a');
});

matrix('query: false is one response for all queries', async ({ gateway, origin }) => {
  const shop = await origin(answers('a'));
  const front = await gateway(cached(shop, { key: { query: false } }));
  for (const path of ['/a?x=1', '/a', '/a?', '/a?y;z']) expect((await front.send({ path })).text).toBe('a');
  expect(shop.requests).toBe(1);
});

matrix('fields and cookies of the key keep responses apart, without any Vary', async ({ gateway, origin }) => {
  const shop = await origin(answers('a', 'b', 'c', 'd'));
  const key = { headers: ['X-Tenant'], cookies: ['lang'] };
  const connection = await (await gateway(cached(shop, { key }))).connect();
  const ask = async (...headers: readonly string[]): Promise<string> => (await connection.send({ headers })).text;
  expect(await ask('X-Tenant', 'one', 'Cookie', 'lang=de; id=1')).toBe('a');
  expect(await ask('X-Tenant', 'one', 'Cookie', 'id=2; lang=de')).toBe('a');
  expect(await ask('X-Tenant', 'two', 'Cookie', 'lang=de')).toBe('b');
  expect(await ask('X-Tenant', 'one', 'Cookie', 'lang=fr')).toBe('c');
  expect(await ask()).toBe('d');
  expect(await ask('Cookie', 'id=3')).toBe('d');
  expect(shop.requests).toBe(4);
});

matrix('an unsafe request invalidates what is stored under every key of its URI', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [...answers('a', 'b', 'c').script, 'respond 204', ...answers('d', 'e', 'f').script],
  });
  const key = { query: { drop: ['utm_*'] }, headers: ['X-Tenant'] };
  const config = cached(shop, { key }, { name: 'page', match: { method: ['GET'], path: '/a' } });
  const routes = [
    ...(config.routes ?? []),
    { name: 'whole', pool: 'shop', match: { path: '/a', headers: { 'X-Whole': '1' }, method: ['GET'] }, cache: true },
    { name: 'change', pool: 'shop', match: { path: '/a', method: ['POST'] } },
  ] as const;
  const connection = await (await gateway({ ...config, routes: [...routes] })).connect();
  const ask = async (...headers: readonly string[]): Promise<string> =>
    (await connection.send({ path: '/a?id=1&utm_x=1', headers })).text;
  const all = async (): Promise<readonly string[]> => [
    await ask('X-Tenant', 'one'),
    await ask('X-Tenant', 'two'),
    await ask('X-Whole', '1'),
  ];
  expect(await all()).toEqual(['a', 'b', 'c']);
  expect(await all()).toEqual(['a', 'b', 'c']);
  expect((await connection.send({ method: 'POST', path: '/a?id=1&utm_x=1' })).status).toBe(204);
  expect(await all()).toEqual(['d', 'e', 'f']);
});

matrix('the endpoint is asked for one coding, so that there are no more variants than codings', async (stage) => {
  const headers = [...FRESH, 'Vary', 'Accept-Encoding'];
  const shop = await stage.origin({
    script: ['br', 'gzip', 'identity'].flatMap(
      (body) => ['read head', { respond: 200, headers: [...headers, 'Content-Encoding', body], body }] as const,
    ),
  });
  const connection = await (await stage.gateway(cached(shop, { key: { encodings: ['br', 'gzip'] } }))).connect();
  const ask = async (...accepted: readonly string[]): Promise<string | null> =>
    (await connection.send({ headers: accepted.flatMap((value) => ['Accept-Encoding', value]) })).header(
      'content-encoding',
    );
  expect(await ask('gzip, deflate, br, zstd')).toBe('br');
  expect(await ask('gzip;q=1.0, br;q=0.1')).toBe('br');
  expect(await ask('gzip, deflate')).toBe('gzip');
  expect(await ask('br;q=0, *')).toBe('gzip');
  expect(await ask()).toBe('identity');
  expect(await ask('zstd')).toBe('identity');
  expect(await ask('br', 'gzip')).toBe('br');
  expect(shop.received.map((request) => request.all('accept-encoding'))).toEqual([['br'], ['gzip'], ['identity']]);
});

matrix('a route that asks for no coding has one stored response for all', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: [...FRESH, 'Vary', 'Accept-Encoding'] }] });
  const front = await gateway(cached(shop, { key: { encodings: [] } }));
  for (const value of ['gzip', 'br, gzip', 'zstd']) await front.send({ headers: ['Accept-Encoding', value] });
  expect(shop.requests).toBe(1);
  expect((await shop.request(0)).all('accept-encoding')).toEqual(['identity']);
});

matrix('lists of codings that mean the same are one variant', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: [...FRESH, 'Vary', 'Accept-Encoding'] }] });
  const front = await gateway(cached(shop, true));
  for (const value of ['gzip, br;q=0.9', 'x-gzip;q=0.7,br ; q=0.1', 'GZIP, br;q=0.5, zstd;q=0']) {
    await front.send({ headers: ['Accept-Encoding', value] });
  }
  expect(shop.requests).toBe(1);
  expect((await shop.request(0)).all('accept-encoding')).toEqual(['gzip, br;q=0.9']);
});

matrix('a lifetime by status is for errors too', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['respond 404', 'respond 404', 'respond 400', 'respond 400'] });
  const front = await gateway(cached(shop, { defaultTtl: { 200: '1h', 404: '10s', any: '1m' } }), { clock });
  const connection = await front.connect();
  const ask = async (path: string): Promise<string | null> => (await connection.send({ path })).header('cache-status');
  expect(await ask('/a')).toBe('headgate; fwd=uri-miss; fwd-status=404; stored');
  expect(await ask('/a')).toBe('headgate; hit; ttl=10');
  clock.advance(11_000);
  expect(await ask('/a')).toMatch(/fwd-status=404; stored$/);
  // A client’s own fault is not everybody’s.
  for (let i = 0; i < 2; i += 1) expect(await ask('/b')).toMatch(/fwd-status=400; detail=no-freshness$/);
});

matrix('a lifetime of the route begins when the response arrives, however long the endpoint took', async (stage) => {
  const clock = new ManualClock(Date.now());
  const slow = (): Promise<void> => Promise.resolve(clock.advance(3_000));
  const shop = await stage.origin({ script: ['read head', { wait: slow }, 'respond 503'] });
  const front = await stage.gateway(cached(shop, { defaultTtl: { '5xx': '2s' } }), { clock });
  expect((await front.send({})).header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=503; stored');
  expect((await front.send({})).header('cache-status')).toBe('headgate; hit; ttl=2');
});

matrix('a lifetime that overrides counts whatever the endpoint says, but not against private', async (stage) => {
  const shop = await stage.origin({
    script: [
      { respond: 200, headers: ['Cache-Control', 'max-age=0', 'Expires', '0'] },
      'read head',
      { respond: 200, headers: ['Cache-Control', 'private, max-age=9'] },
      'read head',
      { respond: 200, headers: ['Cache-Control', 'private, max-age=9'] },
    ],
  });
  const front = await stage.gateway(cached(shop, { overrideTtl: '1m' }));
  const connection = await front.connect();
  const ask = async (path: string): Promise<string | null> => (await connection.send({ path })).header('cache-status');
  expect(await ask('/a')).toMatch(/; stored$/);
  expect(await ask('/a')).toMatch(/^headgate; hit; ttl=(60|59)$/);
  for (let i = 0; i < 2; i += 1) expect(await ask('/b')).toMatch(/detail=private$/);
});

matrix('directives of responses are ignored where the route says so', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'private, no-cache, no-store'] }] });
  const ignore = ['no-cache', 'no-store', 'private'] as const;
  const front = await gateway(cached(shop, { overrideTtl: '1m', ignore: [...ignore] }));
  for (let i = 0; i < 2; i += 1) await front.send({});
  expect(shop.requests).toBe(1);
});

matrix('requests that a route sends past the cache neither take from it nor leave anything', async (stage) => {
  const shop = await stage.origin(answers('a', 'b', 'c'));
  const bypass = [{ cookies: { session: { present: true } } }, { query: { preview: '1' } }] as const;
  const front = await stage.gateway(cached(shop, { bypass: [...bypass] }));
  const connection = await front.connect();
  const session = { headers: ['Cookie', 'session=1'] };
  expect((await connection.send({})).text).toBe('a');
  const past = await connection.send(session);
  expect([past.text, past.header('cache-status')]).toEqual([
    'b',
    'headgate; fwd=bypass; fwd-status=200; detail=policy',
  ]);
  expect((await connection.send({ path: '/?preview=1' })).text).toBe('c');
  expect((await connection.send({})).text).toBe('a');
  const records = [];
  for (let i = 0; i < 4; i += 1) records.push((await front.gateway.nextRecord()).cache?.why);
  expect(records).toEqual(['uri-miss', 'policy', 'policy', null]);
});

matrix('clients can’t demand anything newer where the route says so', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop, { ignoreClientNoCache: true }));
  for (const [name, value] of [
    ['Cache-Control', 'no-store'],
    ['Cache-Control', 'no-cache'],
    ['Cache-Control', 'max-age=0'],
    ['Cache-Control', 'min-fresh=600'],
    ['Pragma', 'no-cache'],
  ] as const) {
    await front.send({ headers: [name, value] });
  }
  expect(shop.requests).toBe(1);
  const only = await front.send({ path: '/other', headers: ['Cache-Control', 'no-cache, only-if-cached'] });
  expect(only.status).toBe(504);
});

matrix('cookies that are stripped reach the one client that the endpoint answered', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const headers = [...FRESH, 'ETag', '"v1"', 'Set-Cookie', 'id=1', 'Set-Cookie', 'lang=de'];
  const shop = await origin({
    script: [{ respond: 200, headers }, 'read head', { respond: 304, headers: [...FRESH, 'Set-Cookie', 'id=2'] }],
  });
  const connection = await (await gateway(cached(shop, { setCookie: 'strip' }), { clock })).connect();
  const ask = async (): Promise<readonly string[]> => (await connection.send({})).all('set-cookie');
  expect([await ask(), await ask()]).toEqual([['id=1', 'lang=de'], []]);
  clock.advance(61_000);
  expect([await ask(), await ask()]).toEqual([['id=2'], []]);
  expect(shop.requests).toBe(2);
});

matrix('cookies that are named are everybody’s, and others keep a response from being stored', async (stage) => {
  const shop = await stage.origin({
    script: [
      { respond: 200, headers: [...FRESH, 'Set-Cookie', 'lang=de; Path=/'] },
      'read head',
      { respond: 200, headers: [...FRESH, 'Set-Cookie', 'lang=de', 'Set-Cookie', 'id=1'] },
    ],
  });
  const connection = await (await stage.gateway(cached(shop, { setCookie: ['lang'] }))).connect();
  for (let i = 0; i < 2; i += 1) {
    expect((await connection.send({ path: '/a' })).all('set-cookie')).toEqual(['lang=de; Path=/']);
  }
  expect((await connection.send({ path: '/b' })).header('cache-status')).toMatch(/detail=set-cookie$/);
});

matrix('what is larger than the whole store is not said to be stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'x'.repeat(100_000) }] });
  const config = cached(shop, true);
  const front = await gateway({ ...config, cache: { size: '64k' } });
  expect((await front.send({})).header('cache-status')).toBe(
    'headgate; fwd=uri-miss; fwd-status=200; detail=too-large',
  );
});

matrix('a route may store less than the store takes', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'x'.repeat(1025) }] });
  const front = await gateway(cached(shop, { objectSize: '1k' }));
  expect((await front.send({})).header('cache-status')).toMatch(/detail=too-large$/);
});
