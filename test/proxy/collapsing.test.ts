import { expect } from 'vitest';
import type { ClientExchange } from '../kit/client.ts';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort, type Origin } from '../kit/origin.ts';
import type { Step } from '../kit/script.ts';

const FRESH = 'Cache-Control: max-age=60\r\n';

matrix('fifty clients are one request upstream, and get the bytes while they arrive', async ({ gateway, origin }) => {
  const head = gate();
  const rest = gate();
  const shop = await origin({
    script: ['read head', head.step, { send: ok('Content-Length: 8\r\n', 'half') }, rest.step, { send: 'full' }],
  });
  const front = await gateway(cached(shop));
  const leader = await front.begin({});
  await shop.request();
  const others = await beginAll(front, 49);
  head.open();
  for (const exchange of [leader, ...others]) expect((await exchange.read(4)).toString()).toBe('half');
  const late = await front.begin({});
  expect((await late.read(4)).toString()).toBe('half');
  rest.open();
  for (const exchange of [leader, ...others, late]) {
    const reply = await exchange.reply();
    expect([reply.text, reply.ended, reply.status]).toEqual(['halffull', 'clean', 200]);
  }
  expect((await others[0]?.head())?.header('cache-status')).toBe('headgate; fwd=uri-miss; collapsed');
  expect((await late.head()).header('cache-status')).toBe('headgate; fwd=uri-miss; collapsed');
  expect((await front.send({})).header('cache-status')).toMatch(/^headgate; hit/);
  expect(shop.requests).toBe(1);
  expect(front.gateway.status().cache).toMatchObject({ entries: 1, arriving: 0, arrivingBytes: 0, waiting: 0 });
  const results = front.gateway.records.map(({ cache }) => cache?.result).sort();
  expect(results).toEqual([...Array(50).fill('collapsed'), 'hit', 'miss']);
});

matrix(
  'an error that one client provoked keeps nobody from waiting for the next answer',
  async ({ gateway, origin }) => {
    const head = gate();
    const answer = ok(`${FRESH}Content-Length: 8\r\n`, 'complete');
    const shop = await origin({ script: ['read head', { respond: 431 }, 'read head', head.step, { send: answer }] });
    const front = await gateway(cached(shop));
    expect((await front.send({})).status).toBe(431);
    const leader = await front.begin({});
    await shop.request(1);
    const others = await beginAll(front, 3);
    head.open();
    for (const exchange of [leader, ...others]) expect((await exchange.reply()).text).toBe('complete');
    expect(shop.requests).toBe(2);
  },
);

matrix('a client that leaves takes nothing from those who wait for its answer', async ({ gateway, origin }) => {
  const head = gate();
  const shop = await origin({ script: ['read head', head.step, { send: ok('Content-Length: 8\r\n', 'complete') }] });
  const front = await gateway(cached(shop));
  const leader = await front.begin({});
  await shop.request();
  const [waiter] = await beginAll(front, 1);
  leader.leave();
  expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, end: { side: 'client' } });
  head.open();
  expect((await waiter?.reply())?.text).toBe('complete');
  expect((await front.send({})).header('cache-status')).toMatch(/^headgate; hit/);
  expect(shop.requests).toBe(1);
});

matrix('a client that leaves in the middle takes nothing from those who read with it', async ({ gateway, origin }) => {
  const rest = gate();
  const length = `Content-Length: 1000000\r\n`;
  const shop = await origin({
    script: ['read head', { send: ok(length, 'half') }, rest.step, { send: 'x'.repeat(999_996) }],
  });
  const front = await gateway(cached(shop));
  const leader = await front.begin({});
  await leader.read(4);
  const reader = await front.begin({});
  await reader.read(4);
  leader.leave();
  await front.gateway.nextRecord();
  rest.open();
  const reply = await reader.reply();
  expect([reply.body.length, reply.ended]).toEqual([1_000_000, 'clean']);
  expect(shop.requests).toBe(1);
});

matrix('when nobody is left, the request is cancelled, unless little is missing', async ({ gateway, origin }) => {
  const rest = gate();
  const shop = await origin({
    scripts: [
      ['read head', { send: ok('Content-Length: 1000000\r\n', 'half') }, 'silent'],
      ['read head', { send: ok('Content-Length: 8\r\n', 'half') }, rest.step, { send: 'full' }],
    ],
  });
  const front = await gateway(cached(shop));
  const clients = [await front.begin({ path: '/large' })];
  await clients[0]?.read(4);
  clients.push(await front.begin({ path: '/large' }));
  await clients[1]?.read(4);
  for (const client of clients) client.leave();
  await shop.idle();
  const small = await front.begin({ path: '/small' });
  await small.read(4);
  small.leave();
  for (let i = 0; i < 3; i += 1) await front.gateway.nextRecord();
  rest.open();
  await until(() => front.gateway.status().cache.entries === 1, 'the rest to be stored');
  expect((await front.send({ path: '/small' })).text).toBe('halffull');
  expect(shop.requests).toBe(2);
});

matrix('a superseded configuration is kept until what it began for others is over', async ({ gateway, origin }) => {
  const head = gate();
  const shop = await origin({ script: ['read head', head.step, { send: ok('Content-Length: 2\r\n', 'ok') }] });
  const front = await gateway(cached(shop));
  const leader = await front.begin({});
  await shop.request();
  const [waiter] = await beginAll(front, 1);
  leader.leave();
  await front.gateway.nextRecord();
  const inFlight = () => front.gateway.status().pools[0]?.endpoints[0]?.inFlight;
  expect(inFlight()).toBe(1);
  head.open();
  expect((await waiter?.reply())?.text).toBe('ok');
  await until(() => inFlight() === 0, 'nothing in flight');
});

matrix('after an answer that nobody else may have, all ask for themselves, and nobody waits', async (stage) => {
  const head = gate();
  const secret: Step = { respond: 200, headers: ['Cache-Control', 'private'], body: 'mine' };
  const shop = await stage.origin({
    scripts: [
      ['read head', head.step, secret],
      ['read head', secret],
    ],
  });
  const front = await stage.gateway(cached(shop));
  const leader = await front.begin({});
  await shop.request();
  const others = await beginAll(front, 5);
  head.open();
  for (const exchange of [leader, ...others]) expect((await exchange.reply()).text).toBe('mine');
  expect(shop.requests).toBe(6);
  // Two at the same time now: neither waits for the other.
  const [first, second] = [await front.begin({}), await front.begin({})];
  expect([(await first.reply()).text, (await second.reply()).text]).toEqual(['mine', 'mine']);
  expect(front.gateway.records.every(({ cache }) => cache?.result === 'miss')).toBe(true);
});

matrix('after a failure one of those who wait asks next, then two: not all, and not one by one', async (stage) => {
  const { origin, gateway } = stage;
  const heads = [gate(), gate(), gate()];
  const broken = (nth: number): readonly Step[] => [
    'read head',
    heads[nth]?.step ?? 'silent',
    { respond: 503, headers: ['Connection', 'close'] },
    'end',
  ];
  const fine: readonly Step[] = ['read head', { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'fine' }];
  const shop = await origin({ scripts: [broken(0), broken(1), broken(2), broken(2), fine] });
  const front = await gateway(cached(shop, { route: { retry: { attempts: 1 } } }));
  const leader = await front.begin({});
  await shop.request();
  const others = await beginAll(front, 9);
  heads[0]?.open();
  expect((await leader.head()).status).toBe(503);
  await until(() => shop.requests === 2, 'one more request');
  expect(front.gateway.status().cache.waiting).toBe(8);
  heads[1]?.open();
  await until(() => shop.requests === 4, 'two more requests');
  expect(front.gateway.status().cache.waiting).toBe(6);
  heads[2]?.open();
  const statuses: number[] = [];
  for (const exchange of others) statuses.push((await exchange.head()).status);
  expect(statuses.filter((status) => status === 503)).toHaveLength(3);
  expect(statuses.filter((status) => status === 200)).toHaveLength(6);
  // Up to four asked in the last round.
  expect(shop.requests).toBeLessThanOrEqual(8);
});

matrix('nobody hangs when the endpoint can’t be reached at all', async ({ gateway }) => {
  const port = await deadPort();
  const front = await gateway(cached({ port } as Origin, { route: { retry: { attempts: 1 } } }));
  const exchanges: ClientExchange[] = [];
  for (let i = 0; i < 20; i += 1) exchanges.push(await front.begin({}));
  for (const exchange of exchanges) expect((await exchange.head()).status).toBe(502);
  expect(front.gateway.status().cache).toMatchObject({ waiting: 0, arriving: 0 });
});

matrix('an answer that breaks off is visibly short for everybody who reads it, and not stored', async (stage) => {
  const rest = gate();
  const shop = await stage.origin({
    scripts: [
      ['read head', { send: ok('Content-Length: 8\r\n', 'half') }, rest.step, 'reset'],
      [{ respond: 200, body: 'whole' }],
    ],
  });
  const front = await stage.gateway(cached(shop));
  const leader = await front.begin({});
  await leader.read(4);
  const reader = await front.begin({});
  await reader.read(4);
  rest.open();
  expect((await leader.reply()).ended).not.toBe('clean');
  expect((await reader.reply()).ended).not.toBe('clean');
  const [first, second] = [await front.gateway.nextRecord(), await front.gateway.nextRecord()];
  expect([first.end.side, second.end.side]).toEqual(['upstream', 'upstream']);
  expect((await front.send({})).text).toBe('whole');
});

matrix('what was asked for whole and turns out too large is cancelled once its part is served', async (stage) => {
  const head = 'HTTP/1.1 200 OK\r\nCache-Control: max-age=60\r\nETag: "v1"\r\nConnection: close\r\n\r\n';
  const shop = await stage.origin({
    script: ['read head', { send: head }, { send: 'x'.repeat(3_000_000) }, 'silent'],
  });
  const config = cached(shop, { route: { cache: { ranges: 'whole' } } });
  const front = await stage.gateway({ ...config, cache: { size: '8M', objectSize: '1M' } });
  const reply = await front.send({ headers: ['Range', 'bytes=0-9', 'If-None-Match', '"v1"'] });
  expect(reply.status).toBe(304);
  await shop.idle();
  await until(() => front.gateway.status().cache.arriving === 0, 'nothing arriving');
  expect(front.gateway.status().pools[0]?.endpoints[0]?.inFlight).toBe(0);
});

matrix('variants are not mixed: who waited for another one asks for its own', async ({ gateway, origin }) => {
  const heads = [gate(), gate()];
  const variant = (nth: number): readonly Step[] => [
    'read head',
    heads[nth]?.step ?? 'silent',
    { respond: 200, headers: ['Cache-Control', 'max-age=60', 'Vary', 'X-Side'], body: `${nth}` },
  ];
  const shop = await origin({ scripts: [variant(0), variant(1)] });
  const front = await gateway(cached(shop));
  const left = await front.begin({ headers: ['X-Side', 'left'] });
  await shop.request();
  const alike = await front.begin({ headers: ['X-Side', 'left'] });
  const right = await front.begin({ headers: ['X-Side', 'right'] });
  const right2 = await front.begin({ headers: ['X-Side', 'right'] });
  await until(() => front.gateway.status().cache.waiting === 3, 'three to wait');
  heads[0]?.open();
  expect([(await left.reply()).text, (await alike.reply()).text]).toEqual(['0', '0']);
  await until(() => shop.requests === 2, 'the other variant to be asked for');
  heads[1]?.open();
  expect([(await right.reply()).text, (await right2.reply()).text]).toEqual(['1', '1']);
  expect(shop.requests).toBe(2);
});

matrix('HEAD, a condition and a range are answered from what arrives', async ({ gateway, origin }) => {
  const head = gate();
  const shop = await origin({
    script: ['read head', head.step, { send: ok('ETag: "v1"\r\nContent-Length: 8\r\n', 'complete') }],
  });
  const front = await gateway(cached(shop));
  const leader = await front.begin({});
  await shop.request();
  const asHead = await front.begin({ method: 'HEAD' });
  const same = await front.begin({ headers: ['If-None-Match', '"v1"'] });
  const part = await front.begin({ headers: ['Range', 'bytes=2-4'] });
  await until(() => front.gateway.status().cache.waiting === 3, 'three to wait');
  head.open();
  expect((await leader.reply()).text).toBe('complete');
  const reply = await asHead.reply();
  expect([reply.status, reply.text, reply.header('content-length')]).toEqual([200, '', '8']);
  expect((await same.reply()).status).toBe(304);
  const piece = await part.reply();
  expect([piece.status, piece.text]).toEqual([206, 'mpl']);
  expect(shop.requests).toBe(1);
});

matrix('those who wait for a validation get what it confirms', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const head = gate();
  const shop = await origin({
    script: [
      { respond: 200, headers: ['Cache-Control', 'max-age=60', 'ETag', '"v1"'], body: 'stored' },
      'read head',
      head.step,
      { respond: 304, headers: ['ETag', '"v1"', 'Cache-Control', 'max-age=60'] },
    ],
  });
  const front = await gateway(cached(shop), { clock });
  await front.send({});
  clock.advance(61_000);
  const leader = await front.begin({});
  await shop.request(1);
  const others = await beginAll(front, 3);
  head.open();
  for (const exchange of [leader, ...others]) expect((await exchange.reply()).text).toBe('stored');
  expect((await others[0]?.head())?.header('cache-status')).toBe('headgate; fwd=stale; collapsed');
  expect(shop.requests).toBe(2);
});

matrix('a slow client slows nobody, not even as the first', async ({ gateway, origin }) => {
  const length = 6_000_000;
  const shop = await origin({
    script: ['read head', { send: ok(`Content-Length: ${length}\r\n`, '') }, { fill: length }],
  });
  const front = await gateway(cached(shop));
  // It never reads.
  const slow = await front.begin({});
  await shop.request();
  const reply = await front.send({});
  expect([reply.body.length, reply.ended]).toEqual([length, 'clean']);
  expect(front.gateway.status().cache.entries).toBe(1);
  expect(shop.requests).toBe(1);
  expect((await slow.reply()).body.length).toBe(length);
});

matrix('a body that turns out too large goes on to those who read it', async ({ gateway, origin }) => {
  const rest = gate();
  const shop = await origin({
    scripts: [
      [
        'read head',
        { send: `HTTP/1.1 200 OK\r\n${FRESH}Connection: close\r\n\r\nhalf` },
        rest.step,
        { fill: 3_000_000 },
        'end',
      ],
      [{ respond: 200, body: 'another' }],
    ],
  });
  const front = await gateway(cached(shop, { rest: { cache: { objectSize: '1M' } } }));
  const exchanges: ClientExchange[] = [];
  for (let i = 0; i < 3; i += 1) {
    exchanges.push(await front.begin({}));
    await exchanges[i]?.read(4);
  }
  rest.open();
  // All at once: from where it is too large, the slowest is waited for.
  const replies = await Promise.all(exchanges.map((exchange) => exchange.reply()));
  expect(replies.map(({ body, ended }) => [body.length, ended])).toEqual(Array(3).fill([3_000_004, 'clean']));
  expect((await front.send({})).text).toBe('another');
  expect(front.gateway.status().cache).toMatchObject({ arriving: 0, arrivingBytes: 0 });
});

matrix('a response that finds no memory passes through, and is not stored', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'x'.repeat(5_000) }],
  });
  const front = await gateway(cached(shop, { rest: { cache: { fills: '4k' } } }));
  for (let i = 1; i <= 2; i += 1) {
    const reply = await front.send({});
    expect([reply.body.length, reply.ended]).toEqual([5_000, 'clean']);
    expect(reply.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=200; detail=fills-full');
    expect(shop.requests).toBe(i);
  }
});

matrix('who waits may leave, and who waits for too long goes on its own', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const fresh = ['Cache-Control', 'max-age=60'];
  const shop = await origin({ scripts: [['read head', 'silent'], [{ respond: 200, headers: fresh, body: 'own' }]] });
  const front = await gateway(cached(shop, { route: { cache: { collapse: { wait: '3s' } } } }), { clock });
  const leader = await front.begin({});
  await shop.request();
  const [leaving, waiting] = await beginAll(front, 2);
  leaving?.leave();
  expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, end: { reason: 'client-gone' } });
  expect(front.gateway.status().cache.waiting).toBe(1);
  clock.advance(3_100);
  const reply = await waiting?.reply();
  expect([reply?.text, reply?.header('cache-status')]).toEqual([
    'own',
    'headgate; fwd=uri-miss; fwd-status=200; detail=collapse-timeout',
  ]);
  expect(front.gateway.status().cache.entries).toBe(0);
  leader.leave();
});

matrix('the time of the route counts while a request waits', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', 'silent'] });
  const route = { timeouts: { total: '2s' }, retry: { attempts: 1 } };
  const front = await gateway(cached(shop, { route }), { clock });
  const leader = await front.begin({});
  await shop.request();
  const [waiting] = await beginAll(front, 1);
  clock.advance(2_200);
  expect([(await leader.head()).status, (await waiting?.head())?.status]).toEqual([504, 504]);
  expect(shop.requests).toBeLessThanOrEqual(2);
});

matrix(
  'with collapse: false every request goes for itself',
  async ({ gateway, origin }) => {
    const head = gate();
    const shop = await origin({
      script: ['read head', head.step, { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'own' }],
    });
    const front = await gateway(cached(shop, { route: { cache: { collapse: false } } }));
    const [first, second] = [await front.begin({}), await front.begin({})];
    await until(() => shop.requests === 2, 'two requests');
    head.open();
    expect([(await first.reply()).text, (await second.reply()).text]).toEqual(['own', 'own']);
  },
  { without: ONE_PROTOCOL },
);

/** A step that waits until the test opens it. */
function gate(): { readonly step: Step; readonly open: () => void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  return { step: { wait: promise }, open: () => resolve() };
}

/** Begins so many requests, and returns when they wait for the one that is under way. */
async function beginAll(front: Front, count: number): Promise<readonly ClientExchange[]> {
  const exchanges: ClientExchange[] = [];
  for (let i = 0; i < count; i += 1) exchanges.push(await front.begin({}));
  await until(() => front.gateway.status().cache.waiting === count, `${count} to wait`);
  return exchanges;
}

function ok(fields: string, body: string): string {
  return `HTTP/1.1 200 OK\r\n${FRESH}${fields}\r\n${body}`;
}

function cached(shop: Origin, over: Forwarding = {}): TestConfig {
  // Scripts go on over minutes of the manual clock, on one connection: it must not be idle for too long.
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}
