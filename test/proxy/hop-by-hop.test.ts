import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

matrix(
  'what a client says to its own hop does not reach the endpoint',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const exchange = await front.raw(
      'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: keep-alive, X-Secret\r\nX-Secret: 1\r\nKeep-Alive: timeout=5\r\n' +
        'Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eDp5\r\nTE: gzip\r\nTrailer: X-Sum\r\nHTTP2-Settings: AAMAAABk\r\n' +
        'X-Kept: yes\r\n\r\n',
    );
    expect((await exchange.reply()).status).toBe(200);
    const received = await shop.request();
    for (const gone of [
      ...['x-secret', 'keep-alive', 'proxy-connection', 'proxy-authorization', 'te', 'trailer', 'http2-settings'],
    ]) {
      expect([gone, received.header(gone)]).toEqual([gone, null]);
    }
    expect(received.header('x-kept')).toBe('yes');
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a Connection field cannot make the gateway forget Host, the length, cookies or forwarding fields',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const exchange = await front.raw(
      'POST / HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\nCookie: a=b\r\n' +
        'Connection: close, Host, Content-Length, Cookie, Via, X-Forwarded-For\r\n\r\nabc',
    );
    expect((await exchange.reply()).status).toBe(200);
    const received = await shop.complete();
    expect(received.text).toBe('abc');
    expect([received.header('host'), received.header('cookie')]).toEqual(['shop.test', 'a=b']);
    expect(received.header('via')).toBe('1.1 headgate');
    expect(received.header('x-forwarded-for')).toBe('127.0.0.1');
  },
  { without: HTTP1_ONLY },
);

matrix('a client that takes trailers is still said to', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  await front.send({ headers: ['TE', 'trailers'] });
  expect((await shop.request()).header('te')).toBe('trailers');
});

matrix('what an endpoint says to its own hop does not reach the client', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      {
        respond: 200,
        headers: [
          ...['Connection', 'X-Hop', 'X-Hop', '1', 'Keep-Alive', 'timeout=99', 'Proxy-Authenticate', 'Basic'],
          ...['Proxy-Connection', 'keep-alive', 'Upgrade', 'h2c', 'X-Kept', 'yes', 'Alt-Svc', 'h3=":443"'],
        ],
      },
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect(reply.status).toBe(200);
  for (const gone of ['x-hop', 'proxy-authenticate', 'proxy-connection', 'upgrade', 'alt-svc']) {
    expect([gone, reply.header(gone)]).toEqual([gone, null]);
  }
  expect(reply.header('keep-alive') ?? '').not.toContain('99');
  expect(reply.header('connection') ?? '').not.toContain('X-Hop');
  expect(reply.header('x-kept')).toBe('yes');
});
