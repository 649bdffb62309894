import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';

matrix('a request reaches its endpoint and the response comes back', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['X-Shop', 'open'], body: 'hello' }] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ path: '/a/b?c=d' });
  expect([reply.status, reply.header('x-shop'), reply.text, reply.ended]).toEqual([200, 'open', 'hello', 'clean']);
  const received = await shop.request();
  expect(received.lines[0]).toBe('GET /a/b?c=d HTTP/1.1');
  expect(received.header('host')).toBe('shop.test');
});

matrix('requests on one connection share a connection to the endpoint', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const connection = await front.connect();
  for (let i = 0; i < 5; i += 1) expect((await connection.send({ path: `/${i}` })).text).toBe('ok\n');
  expect([shop.accepted, shop.requests]).toEqual([1, 5]);
});

matrix('a slow reader gets every byte', async ({ gateway, origin }) => {
  const length = 8 * 1024 * 1024;
  const shop = await origin({ script: ['read head', { send: head(length) }, { fill: length }] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({});
  for (let i = 0; i < 8; i += 1) {
    await exchange.read(1024);
    await new Promise((resolve) => setImmediate(resolve));
  }
  const reply = await exchange.reply();
  expect([reply.body.length, reply.ended]).toEqual([length, 'clean']);
});

matrix('a slow endpoint gets every byte', async ({ gateway, origin }) => {
  const body = Buffer.alloc(4 * 1024 * 1024, 'x');
  const script = [
    'read head',
    'stop reading',
    { wait: turns },
    'resume reading',
    'discard body',
    'respond 200',
  ] as const;
  const shop = await origin({ script });
  const front = await gateway(forwardTo(shop));
  expect((await front.send({ method: 'PUT', body })).status).toBe(200);
  expect((await shop.complete()).bodyBytes).toBe(body.length);
});

matrix(
  'pipelined requests are answered in order',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write(['/1', '/2', '/3'].map((path) => `GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`).join(''));
    for (let i = 0; i < 3; i += 1) expect((await client.expect().reply()).status).toBe(200);
    expect(shop.received.map(({ target }) => target)).toEqual(['/1', '/2', '/3']);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'an HTTP/1.0 client is served and its connection closed',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write('GET /old HTTP/1.0\r\n\r\n');
    const reply = await client.expect().reply();
    expect([reply.status, reply.text]).toEqual([200, 'ok\n']);
    await client.dismissed();
    const received = await shop.request();
    expect([received.lines[0], received.all('host')]).toEqual(['GET /old HTTP/1.1', [`127.0.0.1:${shop.port}`]]);
    expect(received.header('via')).toBe('1.0 headgate');
  },
  { without: HTTP1_ONLY },
);

matrix(
  'many streams of one HTTP/2 connection are served side by side',
  async ({ gateway, origin }) => {
    const release = Promise.withResolvers<void>();
    const shop = await origin({ script: ['read head', { wait: release.promise }, 'respond 200'] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    const exchanges = Array.from({ length: 50 }, (_, i) => connection.begin({ path: `/${i}` }));
    await shop.request(49);
    release.resolve();
    for (const exchange of exchanges) expect((await exchange.reply()).ended).toBe('clean');
  },
  { without: HTTP2_ONLY },
);

function head(length: number): string {
  return `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\n\r\n`;
}

async function turns(): Promise<void> {
  for (let i = 0; i < 100; i += 1) await new Promise((resolve) => setImmediate(resolve));
}
