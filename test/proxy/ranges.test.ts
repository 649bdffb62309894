import { expect } from 'vitest';
import type { ClientRequest } from '../kit/client.ts';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';

const FRESH = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];
const LONG = 'abcdefghij'.repeat(30_000);

const range = (value: string, more: readonly string[] = []): ClientRequest => ({ headers: ['Range', value, ...more] });

matrix('ranges of a stored response are served from it (RFC 9110 §14.2)', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: LONG }] });
  const front = await gateway(cached(shop));
  const whole = await front.send({});
  expect(whole.text).toBe(LONG);
  const connection = await front.connect();
  for (const [asked, from, to] of [
    ['bytes=0-9', 0, 10],
    ['bytes=65530-65545', 65_530, 65_546],
    ['bytes=-7', 299_993, 300_000],
    ['bytes=100000-', 100_000, 300_000],
  ] as const) {
    const reply = await connection.send(range(asked));
    expect([reply.status, reply.text, reply.ended]).toEqual([206, LONG.slice(from, to), 'clean']);
    expect(reply.header('content-range')).toBe(`bytes ${from}-${to - 1}/300000`);
    expect([reply.all('content-length'), reply.header('etag')]).toEqual([[String(to - from)], '"v1"']);
    expect(reply.header('cache-status')).toMatch(/^headgate; hit; ttl=/);
  }
  expect(shop.requests).toBe(1);
});

matrix('a range beyond the end is refused with how much there is', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: '0123456789' }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const reply = await front.send(range('bytes=10-'));
  expect([reply.status, reply.text, reply.ended]).toEqual([416, '', 'clean']);
  expect([reply.header('content-range'), reply.header('cache-control')]).toEqual(['bytes */10', null]);
});

matrix('HEAD, a range that is none, and If-Range with a weak tag get the whole', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: FRESH, body: '0123456789' }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const head = await front.send({ method: 'HEAD', ...range('bytes=0-1') });
  expect([head.status, head.header('content-length'), head.header('accept-ranges')]).toEqual([200, '10', 'bytes']);
  for (const request of [range('bytes=1'), range('bytes=0-1', ['If-Range', 'W/"v1"'])]) {
    const reply = await front.send(request);
    expect([reply.status, reply.text]).toEqual([200, '0123456789']);
  }
  expect((await front.send(range('bytes=0-1', ['If-Range', '"v1"']))).status).toBe(206);
  expect((await front.send(range('bytes=0-1', ['If-None-Match', '"v1"']))).status).toBe(304);
  expect(shop.requests).toBe(1);
});

matrix('ranges that are far from each other come as parts of one body', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: [...FRESH, 'Content-Type', 'a/b'], body: LONG }] });
  const front = await gateway(cached(shop));
  await front.send({});
  const reply = await front.send(range('bytes=200000-200004,0-4'));
  expect([reply.status, reply.ended]).toEqual([206, 'clean']);
  expect(reply.header('content-length')).toBe(String(reply.body.length));
  const boundary = reply.header('content-type')?.split('boundary=')[1];
  expect(reply.text).toBe(
    `--${boundary}\r\nContent-Type: a/b\r\nContent-Range: bytes 200000-200004/300000\r\n\r\nabcde` +
      `\r\n--${boundary}\r\nContent-Type: a/b\r\nContent-Range: bytes 0-4/300000\r\n\r\nabcde\r\n--${boundary}--\r\n`,
  );
});

matrix('a range of what is not stored is asked of the endpoint as it is', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      { respond: 416, headers: [...FRESH, 'Content-Range', 'bytes */5'] },
      { respond: 200, headers: FRESH },
    ],
  });
  const front = await gateway(cached(shop));
  const request = range('bytes=5-', ['If-Range', '"v1"']);
  const refused = await front.send(request);
  // A refusal is about this range, whatever it says of its freshness.
  expect(refused.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=416; detail=status');
  const sent = await shop.request();
  expect([sent.header('range'), sent.header('if-range')]).toEqual(['bytes=5-', '"v1"']);
  // An endpoint that does not know ranges answers with all of it: that is stored, and the client gets what it asked for.
  for (const status of [/fwd=uri-miss; fwd-status=200; stored/, /hit/]) {
    const reply = await front.send(range('bytes=0-1'));
    expect([reply.status, reply.text, reply.header('content-range'), reply.ended]).toEqual([
      206,
      'ok',
      'bytes 0-1/3',
      'clean',
    ]);
    expect(reply.header('cache-status')).toMatch(status);
  }
  expect(shop.requests).toBe(2);
});

matrix('a range of what is stale is validated first, and then served from the store', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.now());
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: '0123456789' },
      'read head',
      { respond: 304, headers: FRESH },
      'read head',
      {
        respond: 206,
        headers: ['ETag', '"v2"', 'Content-Range', 'bytes 0-1/3', 'Cache-Control', 'no-store'],
        body: 'ab',
      },
    ],
  });
  const front = await gateway(cached(shop), { clock });
  const connection = await front.connect();
  await connection.send({});
  clock.advance(61_000);
  const confirmed = await connection.send(range('bytes=0-1', ['If-Range', '"v1"']));
  expect([confirmed.status, confirmed.text, confirmed.header('content-range')]).toEqual([206, '01', 'bytes 0-1/10']);
  expect(confirmed.header('cache-status')).toBe('headgate; fwd=stale; fwd-status=304; stored; ttl=60');
  clock.advance(61_000);
  const changed = await connection.send(range('bytes=0-1', ['If-None-Match', '"v9"']));
  expect([changed.status, changed.text, changed.header('content-range')]).toEqual([206, 'ab', 'bytes 0-1/3']);
  // The range goes along: what has changed may be huge. So does the client's own If-Range; its If-None-Match gives way to ours.
  const sent = (await Promise.all([shop.request(1), shop.request(2)])).map((received) =>
    ['range', 'if-range', 'if-none-match'].map((name) => received.all(name)),
  );
  expect(sent).toEqual([
    [['bytes=0-1'], ['"v1"'], ['"v1"']],
    [['bytes=0-1'], [], ['"v1"']],
  ]);
});

function cached(shop: Origin, over: Forwarding = {}): TestConfig {
  // Scripts go on over minutes of the manual clock, on one connection: it must not be idle for too long.
  const connections = { keepAlive: '1h' };
  return forwardTo(shop, { ...over, pool: { connections, ...over.pool }, route: { cache: true, ...over.route } });
}
