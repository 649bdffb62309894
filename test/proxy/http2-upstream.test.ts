import { once } from 'node:events';
import { constants } from 'node:http2';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { type Http2Arrival, type Http2Origin, type Http2OriginOptions, http2Origin } from '../kit/http2-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import { END_HEADERS, END_STREAM, HEADERS, rawHttp2Origin, STATUS_200 } from '../kit/raw-http2-origin.ts';

const OK = { ':status': 200 };

matrix('a request and its response pass over an HTTP/2 endpoint', async (stage) => {
  const { front, shop } = await fronted(stage);
  const exchange = await front.begin({ method: 'POST', path: '/cart?x=1', headers: ['X-A', '1'], body: 'four' });
  const arrival = await shop.next();
  expect([arrival.field(':authority'), arrival.field(':path'), arrival.field('x-a')]).toEqual([
    'shop.test',
    '/cart?x=1',
    '1',
  ]);
  expect([arrival.field('via'), arrival.field('connection')]).toEqual([expect.stringContaining('headgate'), undefined]);
  expect(await arrival.body()).toBe('four');
  arrival.stream.respond({ ':status': 201, 'x-b': '2' });
  arrival.stream.end('made');
  const reply = await exchange.reply();
  expect([reply.status, reply.header('x-b'), reply.text]).toEqual([201, '2', 'made']);
  const record = await front.gateway.nextRecord();
  expect(record).toMatchObject({ status: 201, bytesIn: 4, bytesOut: 4, attempts: 1, end: { reason: 'complete' } });
});

matrix('many requests share a connection to an HTTP/2 endpoint', async (stage) => {
  const { front, shop } = await fronted(stage, {
    handle: ({ stream, fields }) => {
      stream.respond(OK);
      stream.end(fields[5]);
    },
  });
  const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => front.send({ path: `/${i}` })));
  expect(replies.map(({ text }) => text)).toEqual(Array.from({ length: 20 }, (_, i) => `/${i}`));
  expect(shop.sessions).toHaveLength(1);
});

matrix(
  'a stream that the endpoint refused is sent to another one',
  async (stage) => {
    const busy = await http2Origin({ handle: ({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM) });
    const free = await http2Origin({ handle: ({ stream }) => stream.respond(OK, { endStream: true }) });
    const front = await stage.gateway(forwardTo([busy, free], { pool: { protocol: 'http2' } }));
    const reply = await front.send({ method: 'POST', body: '' });
    expect(reply.status).toBe(200);
    expect(await front.gateway.nextRecord()).toMatchObject({ attempts: 2 });
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a POST whose body the endpoint may have seen is not sent again, whatever reset it',
  async (stage) => {
    for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_NO_ERROR]) {
      const { front, shop } = await fronted(stage);
      const exchange = await front.begin({ method: 'POST', body: 'four' });
      const arrival = await shop.next();
      await arrival.body();
      arrival.stream.close(code);
      const reply = await exchange.reply();
      expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=connection_terminated']);
      expect(shop.arrivals).toHaveLength(1);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a POST that the only endpoint refused, which says that it has not looked at it, is sent to it again',
  async (stage) => {
    const { front, shop } = await fronted(stage);
    const exchange = await front.begin({ method: 'POST', body: 'four' });
    const first = await shop.next();
    await first.body();
    first.stream.close(constants.NGHTTP2_REFUSED_STREAM);
    const second = await shop.next();
    expect(await second.body()).toBe('four');
    second.stream.respond(OK, { endStream: true });
    expect((await exchange.reply()).status).toBe(200);
    expect((await front.gateway.nextRecord()).attempts).toBe(1);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an endpoint that refuses everything gets little more than what clients send',
  async (stage) => {
    const { front, shop } = await fronted(stage, {
      handle: ({ stream }) => stream.close(constants.NGHTTP2_REFUSED_STREAM),
    });
    for (let i = 0; i < 100; i += 1) expect((await front.send({})).status).toBe(502);
    // Ten of a start.
    expect(shop.arrivals.length).toBe(110);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'endpoints that refuse everything get 1.2 times what clients send, retries and streams that are sent again together',
  async (stage) => {
    const refuse = { handle: ({ stream }: Http2Arrival) => stream.close(constants.NGHTTP2_REFUSED_STREAM) };
    const shops = [await http2Origin(refuse), await http2Origin(refuse)];
    const endpoints = shops.map(({ port }) => `127.0.0.1:${port}`);
    const pools = { shop: { protocol: 'http2' as const, endpoints } };
    const front = await stage.gateway({ pools, routes: [{ pool: 'shop' }] }, { clock: new ManualClock() });
    for (let i = 0; i < 300; i += 1) expect((await front.send({})).status).toBe(502);
    // Each endpoint has ten of a start.
    expect(shops.reduce((sum, { arrivals }) => sum + arrivals.length, 0)).toBeLessThanOrEqual(360 + 2 * 10);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a GOAWAY in the middle of traffic loses no request',
  async (stage) => {
    const origin = await rawHttp2Origin();
    const front = await stage.gateway(forwardTo(origin, { pool: { protocol: 'http2' } }));
    const [first, second] = [await front.begin({}), await front.begin({})];
    const peer = await origin.peer();
    peer.settings();
    const { stream } = await peer.frame(HEADERS, 0);
    await peer.frame(HEADERS, 1);
    peer.goaway(stream);
    const other = await origin.peer(1);
    other.settings();
    other.write(HEADERS, END_HEADERS | END_STREAM, (await other.frame(HEADERS)).stream, STATUS_200);
    peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
    expect([(await first.reply()).status, (await second.reply()).status]).toEqual([200, 200]);
  },
  { without: ONE_PROTOCOL },
);

matrix('a client that leaves cancels its stream, and no other', async (stage) => {
  const { front, shop } = await fronted(stage);
  const leaving = await front.begin({ path: '/leaves' });
  const { stream } = await shop.next();
  const staying = await front.begin({ path: '/stays' });
  const other = await shop.next();
  leaving.leave();
  await once(stream, 'close');
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  other.stream.respond(OK, { endStream: true });
  expect((await staying.reply()).status).toBe(200);
  expect(shop.sessions).toHaveLength(1);
});

matrix(
  'an endpoint that breaks off its body is seen to do so',
  async (stage) => {
    const { front, shop } = await fronted(stage);
    const exchange = await front.begin({});
    const { session, stream } = await shop.next();
    stream.respond(OK);
    stream.write('half');
    await exchange.head();
    session.destroy();
    expect((await exchange.reply()).ended).not.toBe('clean');
    expect((await front.gateway.nextRecord()).end).toMatchObject({
      side: 'upstream',
      error: 'http_response_incomplete',
    });
  },
  { without: ONE_PROTOCOL },
);

matrix('trailers pass in both directions', async (stage) => {
  const { front, shop } = await fronted(stage);
  const exchange = await front.begin({ method: 'POST', chunked: true, body: 'x', trailers: ['X-Sum', '1'] });
  const arrival = await shop.next();
  await arrival.body();
  expect(arrival.trailers).toEqual(['x-sum', '1']);
  arrival.stream.respond(OK, { waitForTrailers: true });
  arrival.stream.on('wantTrailers', () => arrival.stream.sendTrailers({ 'x-end': 'yes' }));
  arrival.stream.end('y');
  expect((await exchange.reply()).trailers.list).toEqual(['x-end', 'yes']);
});

matrix(
  'health checks speak HTTP/2 to an HTTP/2 pool',
  async (stage) => {
    const shop = await http2Origin({ handle: ({ stream }) => stream.respond(OK, { endStream: true }) });
    const pool = { protocol: 'http2', health: { start: 'down', rise: 1, interval: '10ms' } } as const;
    const front = await stage.gateway(forwardTo(shop, { pool }));
    await until(() => front.gateway.status().pools[0]?.endpoints[0]?.health === 'up', 'the endpoint to be up');
    expect(shop.arrivals[0]?.field(':path')).toBe('/');
  },
  { without: ONE_PROTOCOL },
);

async function fronted(stage: Stage, options: Http2OriginOptions = {}): Promise<{ front: Front; shop: Http2Origin }> {
  const shop = await http2Origin(options);
  return { front: await stage.gateway(forwardTo(shop, { pool: { protocol: 'http2' } })), shop };
}
