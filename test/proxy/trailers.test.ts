import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

matrix('response trailers reach the client', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      {
        send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: grpc-status\r\n\r\n3\r\nabc\r\n0\r\ngrpc-status: 0\r\nx-sum: 9\r\n\r\n',
      },
      'read head',
      'respond 200',
    ],
  });
  const front = await gateway(forwardTo(shop));
  const connection = await front.connect();
  const reply = await connection.send({ headers: ['TE', 'trailers'] });
  expect([reply.text, reply.ended]).toEqual(['abc', 'clean']);
  expect([reply.trailers.first('grpc-status'), reply.trailers.first('x-sum')]).toEqual(['0', '9']);
  expect((await connection.send({})).text).toBe('ok\n');
});

matrix('trailers that speak of framing or of a connection do not reach the client', async ({ gateway, origin }) => {
  const bad = 'Transfer-Encoding: chunked\r\nConnection: close\r\nKeep-Alive: x\r\nHost: other.test\r\nTrailer: x\r\n';
  const shop = await origin({
    script: [
      'read head',
      { send: `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n${bad}x-sum: 9\r\n\r\n` },
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ headers: ['TE', 'trailers'] });
  expect([reply.text, reply.ended, reply.trailers.list]).toEqual(['abc', 'clean', ['x-sum', '9']]);
});

matrix('what a client may not say in its head it may not say in its trailers', async ({ gateway }) => {
  const shop = await http2Origin();
  const front = await gateway(forwardTo(shop, { pool: { protocol: 'http2' } }));
  const trailers = [
    'x-forwarded-for',
    '6.6.6.6',
    'forwarded',
    'for=6.6.6.6',
    'client-cert',
    ':x:',
    'host',
    'x',
    'x-sum',
    '9',
  ];
  const exchange = await front.begin({ method: 'POST', chunked: true, body: 'abc', trailers });
  const arrival = await shop.next();
  expect(await arrival.body()).toBe('abc');
  arrival.stream.respond({ ':status': 200 }, { endStream: true });
  expect((await exchange.reply()).status).toBe(200);
  expect(arrival.trailers).toEqual(['x-sum', '9']);
});

matrix('a Trailer field without trailers is not passed on', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: x-sum\r\n\r\n1\r\na\r\n0\r\n\r\n' },
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect([reply.text, reply.trailers.list]).toEqual(['a', []]);
  expect(reply.header('trailer')).toBeNull();
});

matrix('request trailers are dropped, and the body before them arrives whole', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({
    ...{ method: 'POST', headers: ['Trailer', 'X-Sum'], chunked: true, body: 'abc', trailers: ['x-sum', '9'] },
  });
  expect(reply.status).toBe(200);
  const received = await shop.complete();
  // RFC 9110 §6.5.1 lets an intermediary drop them; then nothing may announce them either.
  expect([received.text, received.trailers, received.header('trailer')]).toEqual(['abc', [], null]);
});

matrix(
  'an HTTP/1.0 client gets the body without chunks and trailers',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx-sum: 9\r\n\r\n' },
      ],
    });
    const front = await gateway(forwardTo(shop));
    const reply = await (await front.raw('GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n')).reply();
    expect([reply.text, reply.header('transfer-encoding'), reply.ended]).toEqual(['abc', null, 'clean']);
  },
  { without: HTTP1_ONLY },
);
