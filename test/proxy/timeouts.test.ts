import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';

const PART = 'HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\nabc';

matrix('an endpoint that does not answer in time is 504', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', 'silent'] });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { head: '5s' } } }), { clock });
  const exchange = await front.begin({});
  await shop.request();
  clock.advance(4_900);
  expect(front.gateway.records).toEqual([]);
  clock.advance(300);
  const reply = await exchange.reply();
  expect([reply.status, reply.header('proxy-status')]).toEqual([504, 'headgate; error=http_response_timeout']);
  const { end } = await front.gateway.nextRecord();
  expect(end).toEqual({ side: 'upstream', reason: 'head-timeout', error: 'http_response_timeout', bug: null });
  await shop.idle();
});

matrix('the time for the head begins when the request was sent, not while its body is', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', 'read 3 bytes', 'read body', 'respond 200'] });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { head: '5s' } } }), { clock });
  const exchange = await front.begin({ method: 'POST', length: 6 });
  await exchange.write('abc');
  await shop.request();
  clock.advance(8_000);
  await exchange.write('def');
  exchange.end();
  expect((await exchange.reply()).status).toBe(200);
});

matrix('a response that falls silent is cut off after the idle timeout', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', { send: PART }, 'silent'] });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { idle: '20s' } } }), { clock });
  const exchange = await front.begin({});
  await exchange.read(3);
  clock.advance(20_200);
  const reply = await exchange.reply();
  expect(reply.status).toBe(200);
  expect(reply.ended).not.toBe('clean');
  const { end, status } = await front.gateway.nextRecord();
  expect([status, end.side, end.reason, end.error]).toEqual([
    200,
    'upstream',
    'idle-timeout',
    'connection_read_timeout',
  ]);
  await shop.idle();
});

matrix('every byte of a response starts the idle timeout anew', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const more = Promise.withResolvers<void>();
  const shop = await origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc' },
      { wait: more.promise },
      { send: 'd' },
      'silent',
    ],
  });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { idle: '20s' } } }), { clock });
  const exchange = await front.begin({});
  await exchange.read(3);
  clock.advance(15_000);
  more.resolve();
  await exchange.read(1);
  clock.advance(15_000);
  expect(front.gateway.records).toEqual([]);
  clock.advance(6_000);
  expect((await exchange.reply()).ended).not.toBe('clean');
});

const EVENT_STREAM = 'HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n\r\ndata: 1\n\n';

for (const [timeouts, minutes] of [
  [{}, 59],
  [{ tunnelIdle: 0 }, 180],
] as const) {
  matrix(`an event stream may be silent for ${minutes} minutes with ${JSON.stringify(timeouts)}`, async (stage) => {
    const clock = new ManualClock(Date.now());
    const more = Promise.withResolvers<void>();
    const script = [
      'read head',
      { send: EVENT_STREAM },
      { wait: more.promise },
      { send: 'data: 2\n\n' },
      'end',
    ] as const;
    const shop = await stage.origin({ script });
    const front = await stage.gateway(forwardTo(shop, { route: { timeouts } }), { clock });
    const exchange = await front.begin({});
    await exchange.read(9);
    clock.advance(minutes * 60_000);
    more.resolve();
    const reply = await exchange.reply();
    expect([reply.text, reply.ended]).toEqual(['data: 1\n\ndata: 2\n\n', 'clean']);
  });
}

matrix(
  'an event stream that was silent for an hour is cut off, and its endpoint let go',
  async ({ gateway, origin }) => {
    const clock = new ManualClock(Date.now());
    const shop = await origin({ script: ['read head', { send: EVENT_STREAM }, 'silent'] });
    const front = await gateway(forwardTo(shop), { clock });
    const exchange = await front.begin({});
    await exchange.read(9);
    clock.advance(3_600_200);
    expect((await exchange.reply()).ended).not.toBe('clean');
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 200, bytesOut: 9, end: { side: 'upstream', reason: 'stream-idle-timeout' } },
    });
    await shop.idle();
  },
);

matrix('an exchange that takes longer than its total timeout is 504', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', 'silent'] });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { head: 0, total: '10s' } } }), { clock });
  const exchange = await front.begin({});
  await shop.request();
  clock.advance(10_200);
  const reply = await exchange.reply();
  expect([reply.status, reply.header('proxy-status')]).toEqual([504, 'headgate; error=http_response_timeout']);
  expect((await front.gateway.nextRecord()).end.reason).toBe('total-timeout');
  await shop.idle();
});

matrix('a response in progress is cut off by the total timeout', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({ script: ['read head', { send: PART }, 'silent'] });
  const front = await gateway(forwardTo(shop, { route: { timeouts: { idle: 0, total: '10s' } } }), { clock });
  const exchange = await front.begin({});
  await exchange.read(3);
  clock.advance(10_200);
  expect((await exchange.reply()).ended).not.toBe('clean');
  await shop.idle();
});

matrix('a request that waits too long for a connection is 503, and says when to come back', async (stage) => {
  const clock = new ManualClock(Date.now());
  const shop = await stage.origin({ script: ['read head', 'silent'] });
  const pool = { connections: { max: 1, queueTimeout: '3s' } };
  const front = await stage.gateway(forwardTo(shop, { pool, route: { timeouts: { head: 0 } } }), { clock });
  const first = await front.begin({});
  await shop.request();
  const second = await front.begin({});
  await until(() => front.gateway.status().pools[0]?.endpoints[0]?.inFlight === 2, 'the second request to wait');
  clock.advance(3_200);
  const reply = await second.reply();
  expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=connection_limit_reached']);
  expect(reply.header('retry-after')).toBe('1');
  first.leave();
});

matrix('a request for which there is no room in the queue is 503 at once', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'silent'] });
  const front = await gateway(forwardTo(shop, { pool: { connections: { max: 1, queue: 0 } } }));
  const first = await front.begin({});
  await shop.request();
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([503, 'headgate; error=connection_limit_reached']);
  expect(JSON.parse(reply.text)).toMatchObject({ reason: 'queue-full' });
  first.leave();
});

matrix('a kept-alive connection outlives the 60 s of common load balancers', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const front = await gateway(forwardTo(await origin()), { clock });
  const connection = await front.connect();
  expect((await connection.send({})).status).toBe(200);
  clock.advance(65_000);
  expect((await connection.send({})).status).toBe(200);
  clock.advance(80_000);
  await connection.dismissed();
});
