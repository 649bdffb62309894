import { expect } from 'vitest';
import type { ClientRequest } from '../kit/client.ts';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const FRESH = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];

matrix('a stored response is served again, with its age', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: [{ respond: 200, headers: [...FRESH, 'X-Own', 'a'], body: 'stored' }] });
  const front = await gateway(cached(shop), { clock });
  const miss = await front.send({ path: '/a?b' });
  expect([miss.text, miss.header('cache-status')]).toEqual([
    'stored',
    'headgate; fwd=uri-miss; fwd-status=200; stored',
  ]);
  clock.advance(10_000);
  const hit = await front.send({ path: '/a?b' });
  expect([hit.status, hit.text, hit.header('x-own'), hit.header('age')]).toEqual([200, 'stored', 'a', '10']);
  expect([hit.header('cache-status'), hit.header('content-length')]).toEqual(['headgate; hit; ttl=50', '6']);
  expect(shop.requests).toBe(1);
  await front.gateway.nextRecord();
  const record = await front.gateway.nextRecord();
  expect([record.cache?.result, record.cache?.header, record.attempts, record.endpoint]).toEqual([
    'hit',
    'headgate; hit; ttl=50',
    0,
    null,
  ]);
});

matrix('what is served again and again is right each time, whatever differs', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'stored' }] });
  const responseHeaders = { set: { 'X-For': '{query.for}' } };
  const cache = { key: { query: { drop: ['for'] } } };
  const front = await gateway(cached(shop, { route: { cache, responseHeaders } }), { clock });
  const connection = await front.connect();
  const ask = async (request: ClientRequest): Promise<unknown[]> => {
    const reply = await connection.send(request);
    const fields = ['age', 'x-for', 'cache-control', 'cache-status', 'content-length'].map((name) =>
      reply.header(name),
    );
    return [reply.status, reply.text, ...fields];
  };
  await connection.send({ path: '/?for=a' });
  for (let i = 0; i < 3; i += 1) {
    expect(await ask({ path: '/?for=a' })).toEqual([
      200,
      'stored',
      '0',
      'a',
      'max-age=60',
      'headgate; hit; ttl=60',
      '6',
    ]);
  }
  expect(await ask({ path: '/?for=b' })).toEqual([200, 'stored', '0', 'b', 'max-age=60', 'headgate; hit; ttl=60', '6']);
  clock.advance(1_000);
  for (let i = 0; i < 3; i += 1) {
    expect(await ask({ path: '/?for=b' })).toEqual([
      200,
      'stored',
      '1',
      'b',
      'max-age=60',
      'headgate; hit; ttl=59',
      '6',
    ]);
  }
  const head = await ask({ method: 'HEAD', path: '/?for=b' });
  expect(head).toEqual([200, '', '1', 'b', 'max-age=60', 'headgate; hit; ttl=59', '6']);
  const part = await ask({ path: '/?for=b', headers: ['Range', 'bytes=1-3'] });
  expect(part).toEqual([206, 'tor', '1', 'b', 'max-age=60', 'headgate; hit; ttl=59', '3']);
  for (let i = 0; i < 3; i += 1) {
    const same = await ask({ path: '/?for=b', headers: ['If-None-Match', '"v1"'] });
    expect(same).toEqual([304, '', '1', 'b', 'max-age=60', 'headgate; hit; ttl=59', null]);
  }
  expect(await ask({ path: '/?for=b' })).toEqual([200, 'stored', '1', 'b', 'max-age=60', 'headgate; hit; ttl=59', '6']);
  expect(shop.requests).toBe(1);
});

matrix('a large stored response is served whole', async ({ gateway, origin }) => {
  const body = 'x'.repeat(3_000_000);
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body }] });
  const front = await gateway(cached(shop));
  for (let i = 0; i < 2; i += 1) {
    const reply = await front.send({});
    expect([reply.body.length, reply.ended]).toEqual([body.length, 'clean']);
  }
  expect(shop.requests).toBe(1);
});

matrix('HEAD is answered from the response to GET', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'stored' }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const reply = await front.send({ method: 'HEAD' });
  expect([reply.status, reply.text, reply.header('content-length'), reply.ended]).toEqual([200, '', '6', 'clean']);
  expect(shop.requests).toBe(1);
});

matrix('a client that has the stored response is told so', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const reply = await front.send({ headers: ['If-None-Match', '"v0", "v1"'] });
  expect([reply.status, reply.text, reply.header('etag')]).toEqual([304, '', '"v1"']);
  expect(shop.requests).toBe(1);
});

matrix('a stale response is confirmed by the endpoint and served again', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: 'stored' },
      'read head',
      { respond: 304, headers: ['ETag', '"v1"', 'Cache-Control', 'max-age=30', 'X-New', '1'] },
    ],
  });
  const front = await gateway(cached(shop), { clock });
  const connection = await front.connect();
  await connection.send({});
  clock.advance(61_000);
  const reply = await connection.send({ headers: ['If-None-Match', '"other"'] });
  expect([reply.status, reply.text, reply.header('x-new')]).toEqual([200, 'stored', '1']);
  expect(reply.header('cache-status')).toBe('headgate; fwd=stale; fwd-status=304; stored; ttl=30');
  const received = await shop.request(1);
  // The client's own condition would be about its copy, not ours.
  expect(received.all('if-none-match')).toEqual(['"v1"']);
  expect((await connection.send({})).header('cache-status')).toBe('headgate; hit; ttl=30');
  expect(shop.requests).toBe(2);
});

matrix('a stale response is replaced when the endpoint has another', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: 'old' },
      { respond: 200, headers: ['Cache-Control', 'max-age=60', 'ETag', '"v2"'], body: 'new' },
    ],
  });
  const front = await gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(61_000);
  expect((await front.send({})).text).toBe('new');
  expect((await front.send({})).text).toBe('new');
  expect(shop.requests).toBe(2);
});

matrix('a 304 that confirms something else makes the gateway ask again', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: 'old' },
      'read head',
      { respond: 304, headers: ['ETag', '"other"'] },
      'read head',
      { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'new' },
    ],
  });
  const front = await gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(61_000);
  const reply = await front.send({});
  expect([reply.status, reply.text]).toEqual([200, 'new']);
  expect(shop.received.map((request) => request.header('if-none-match'))).toEqual([null, '"v1"', null]);
  expect((await front.send({})).text).toBe('new');
  expect(shop.requests).toBe(3);
});

matrix('what Vary names decides which response fits', async ({ gateway, origin }) => {
  const vary = [...FRESH, 'Vary', 'Accept-Language'];
  const shop = await origin({
    script: [
      { respond: 200, headers: vary, body: 'hello' },
      { respond: 200, headers: vary, body: 'hallo' },
    ],
  });
  const front = await gateway(cached(shop));
  const ask = async (language: string): Promise<string> =>
    (await front.send({ headers: ['Accept-Language', language] })).text;
  expect([await ask('en'), await ask('de'), await ask('de'), await ask('en')]).toEqual([
    'hello',
    'hallo',
    'hallo',
    'hello',
  ]);
  expect(shop.requests).toBe(2);
});

const notStored: readonly { what: string; headers: readonly string[]; request?: readonly string[]; why: string }[] = [
  { what: 'marked no-store', headers: ['Cache-Control', 'no-store'], why: 'no-store' },
  { what: 'marked private', headers: ['Cache-Control', 'private, max-age=60'], why: 'private' },
  { what: 'that sets a cookie', headers: [...FRESH, 'Set-Cookie', 'a=b'], why: 'set-cookie' },
  {
    what: 'to a request with Authorization',
    headers: FRESH,
    request: ['Authorization', 'Basic eA=='],
    why: 'authorization',
  },
  { what: 'that varies by everything', headers: [...FRESH, 'Vary', '*'], why: 'vary-star' },
  { what: 'that states no freshness', headers: ['X-A', '1'], why: 'no-freshness' },
];

for (const { what, headers, request, why } of notStored) {
  matrix(`a response ${what} is not stored`, async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers }] });
    const front = await gateway(cached(shop));
    for (let i = 1; i <= 2; i += 1) {
      const reply = await front.send(request === undefined ? {} : { headers: request });
      expect(reply.header('cache-status')).toBe(`headgate; fwd=uri-miss; fwd-status=200; detail=${why}`);
      expect(shop.requests).toBe(i);
    }
  });
}

const bypassing: readonly { what: string; headers: readonly string[]; detail: string }[] = [
  { what: 'says no-store', headers: ['Cache-Control', 'no-store'], detail: 'no-store' },
  { what: 'has a precondition for the origin', headers: ['If-Match', '"v1"'], detail: 'precondition' },
];

for (const { what, headers, detail } of bypassing) {
  matrix(`a request that ${what} goes past the cache`, async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
    const front = await gateway(cached(shop));
    await front.send({});
    const reply = await front.send({ headers });
    expect(reply.header('cache-status')).toBe(`headgate; fwd=bypass; fwd-status=200; detail=${detail}`);
    expect((await shop.request(1)).header(headers[0]?.toLowerCase() ?? '')).toBe(headers[1]);
  });
}

matrix('a GET with a body goes past the cache', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop));
  await front.send({});
  for (const chunked of [false, true]) {
    const reply = await front.send({ body: 'which one?', chunked });
    expect(reply.header('cache-status')).toBe('headgate; fwd=bypass; fwd-status=200; detail=request-body');
  }
  expect(shop.requests).toBe(3);
});

matrix('no-cache in a request makes the gateway ask the endpoint', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [{ respond: 200, headers: FRESH }, 'read head', { respond: 304, headers: ['ETag', '"v1"'] }],
  });
  const front = await gateway(cached(shop));
  await front.send({});
  const reply = await front.send({ headers: ['Cache-Control', 'no-cache'] });
  expect([reply.status, reply.text]).toEqual([200, 'ok\n']);
  expect(reply.header('cache-status')).toMatch(/^headgate; fwd=request; fwd-status=304; stored/);
});

matrix('only-if-cached is 504 when nothing is stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop));
  const ask = { headers: ['Cache-Control', 'only-if-cached'] };
  const reply = await front.send(ask);
  expect([reply.status, reply.header('cache-status')]).toEqual([504, null]);
  expect(shop.accepted).toBe(0);
  await front.send({});
  expect((await front.send(ask)).status).toBe(200);
});

for (const method of ['POST', 'PUT', 'DELETE', 'PATCH']) {
  matrix(`a successful ${method} makes the stored response to its URI invalid`, async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
    const front = await gateway(cached(shop));
    await front.send({ path: '/cart' });
    const changed = await front.send({ method, path: '/cart', body: 'x' });
    expect(changed.header('cache-status')).toBe('headgate; fwd=method; fwd-status=200');
    await front.send({ path: '/cart' });
    expect(shop.received.map((request) => request.method)).toEqual(['GET', method, 'GET']);
  });
}

matrix('a failed POST leaves what is stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }, { respond: 400 }] });
  const front = await gateway(cached(shop));
  await front.send({});
  await front.send({ method: 'POST', body: 'x' });
  expect((await front.send({})).header('cache-status')).toMatch(/; hit;/);
});

const broken: readonly { what: string; script: readonly Step[] }[] = [
  {
    what: 'of known length',
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 9\r\n\r\nabc' },
      'end',
    ],
  },
  {
    what: 'in chunks',
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n' },
      'end',
    ],
  },
];

for (const { what, script } of broken) {
  matrix(`a response ${what} that was cut short is not stored`, async ({ gateway, origin }) => {
    const shop = await origin({ scripts: [script, [{ respond: 200, headers: FRESH, body: 'whole' }]] });
    const front = await gateway(cached(shop));
    expect((await front.send({})).ended).not.toBe('clean');
    expect((await front.send({})).text).toBe('whole');
    expect(shop.requests).toBe(2);
  });
}

matrix('a response whose reader left is not stored as if it were whole', async ({ gateway, origin }) => {
  const shop = await origin({
    scripts: [
      [
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nContent-Length: 999999\r\n\r\nabc' },
        'silent',
      ],
      [{ respond: 200, headers: FRESH, body: 'whole' }],
    ],
  });
  const front = await gateway(cached(shop));
  const exchange = await front.begin({});
  await exchange.read(3);
  exchange.leave();
  await shop.idle();
  expect((await front.send({})).text).toBe('whole');
});

matrix('a response above the size of an object is passed on and not stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: 'x'.repeat(5000) }] });
  const front = await gateway(cached(shop, { rest: { cache: { size: '1M', objectSize: '4k' } } }));
  for (let i = 1; i <= 2; i += 1) {
    expect((await front.send({})).body.length).toBe(5000);
    expect(shop.requests).toBe(i);
  }
});

matrix('what policies add is added every time, and never stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop, { route: { responseHeaders: { set: { 'X-Id': '{request.id}' } } } }));
  const ids = [(await front.send({})).header('x-id'), (await front.send({})).header('x-id')];
  expect(shop.requests).toBe(1);
  expect(new Set(ids).size).toBe(2);
  expect(front.gateway.records.map(({ id }) => id)).toEqual(ids);
});

matrix('hosts, queries and what edits write into the request keep responses apart', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(cached(shop, { route: { requestHeaders: { set: { 'X-Tenant': '{cookie.tenant}' } } } }));
  const requests = [
    { authority: 'a.shop.test' },
    { authority: 'b.shop.test' },
    { path: '/?a' },
    { path: '/?b' },
    { headers: ['Cookie', 'tenant=1'] },
    { headers: ['Cookie', 'tenant=2'] },
  ];
  for (const request of [...requests, ...requests]) await front.send(request);
  expect(shop.requests).toBe(requests.length);
});

matrix('defaultTtl is how long a response is fresh that says nothing itself', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin();
  const front = await gateway(cached(shop, { route: { cache: { defaultTtl: '10s' } } }), { clock });
  await front.send({});
  clock.advance(9_000);
  expect((await front.send({})).header('cache-status')).toBe('headgate; hit; ttl=1');
  clock.advance(2_000);
  await front.send({});
  expect(shop.requests).toBe(2);
});

matrix('a route without a cache says nothing of one, and stores nothing', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH }] });
  const front = await gateway(forwardTo(shop));
  await front.send({});
  expect((await front.send({})).header('cache-status')).toBeNull();
  expect(shop.requests).toBe(2);
});

matrix('the body of a cached GET that the endpoint is asked for again does not disturb anything', async (stage) => {
  const clock = new ManualClock(Date.now());
  const shop = await stage.origin({
    script: [
      { respond: 200, headers: FRESH, body: 'old' },
      'read head',
      // A 304 with a length is no body (undici 7 took it for one).
      { send: 'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\nCache-Control: max-age=60\r\nContent-Length: 3\r\n\r\n' },
    ],
  });
  const front = await stage.gateway(cached(shop), { clock });
  const connection = await front.connect();
  await connection.send({});
  clock.advance(61_000);
  const reply = await connection.send({});
  expect([reply.status, reply.text, reply.ended]).toEqual([200, 'old', 'clean']);
  expect((await connection.send({})).header('cache-status')).toBe('headgate; hit; ttl=60');
});

function cached(shop: Origin, over: Forwarding = {}): TestConfig {
  // Scripts go on over minutes of the manual clock, on one connection: it must not be idle for too long.
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}
