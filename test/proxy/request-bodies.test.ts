import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

for (const type of ['foo', 'text/plain', 'application/json', 'multipart/form-data; boundary=x', '', null]) {
  const what = type === null ? 'without a content type' : `of content type "${type}"`;
  matrix(`a body ${what} is passed on as it is, whatever its size`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const body = '{"broken": '.repeat(150_000);
    const reply = await front.send({ method: 'POST', body, headers: type === null ? [] : ['Content-Type', type] });
    expect(reply.status).toBe(200);
    const received = await shop.complete();
    expect([received.bodyBytes, received.header('content-type')]).toEqual([body.length, type]);
    expect(received.text === body).toBe(true);
  });
}

matrix('a chunked body arrives whole', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', chunked: true });
  for (const piece of ['one ', 'two ', 'three']) await exchange.write(piece);
  exchange.end();
  expect((await exchange.reply()).status).toBe(200);
  const received = await shop.complete();
  expect([received.text, received.header('content-length')]).toEqual(['one two three', null]);
});

matrix('the first bytes of a body reach the endpoint before the last have left the client', async (stage) => {
  const shop = await stage.origin({ script: ['read head', 'read 3 bytes', 'read body', 'respond 200'] });
  const front = await stage.gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'PUT', length: 6 });
  await exchange.write('abc');
  expect((await shop.request()).header('content-length')).toBe('6');
  await exchange.write('def');
  exchange.end();
  expect((await exchange.reply()).status).toBe(200);
  expect((await shop.complete()).text).toBe('abcdef');
});

matrix('a body whose announced length is above the limit is refused, and nothing goes upstream', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(forwardTo(shop, { route: { limits: { body: '10' } } }));
  const reply = await front.send({ method: 'POST', body: 'x'.repeat(11) });
  expect([reply.status, reply.header('proxy-status')]).toEqual([413, 'headgate; error=http_request_error']);
  expect(JSON.parse(reply.text)).toMatchObject({ reason: 'body-too-large' });
  expect(shop.accepted).toBe(0);
  expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', reason: 'body-too-large' });
});

matrix('a body of exactly the limit is forwarded', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { limits: { body: '10' } } }));
  expect((await front.send({ method: 'POST', body: 'x'.repeat(10) })).status).toBe(200);
  expect((await front.send({ method: 'POST', body: 'x'.repeat(10), chunked: true })).status).toBe(200);
});

matrix(
  'a body that grows above the limit on its way is refused, and the endpoint sees it broken off',
  async (stage) => {
    const shop = await stage.origin({ script: ['read body', 'respond 200'] });
    const front = await stage.gateway(forwardTo(shop, { route: { limits: { body: '1k' } } }));
    const exchange = await front.begin({ method: 'POST', chunked: true });
    await exchange.write('x'.repeat(1000));
    await exchange.write('y'.repeat(1000)).catch(() => {});
    const reply = await exchange.reply();
    expect(reply.status).toBe(413);
    await shop.idle();
    expect(shop.received[0]?.complete).not.toBe(true);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', reason: 'body-too-large' });
  },
);

matrix('the limit of a listener holds for every route that has none of its own', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway({
    listeners: { web: { port: 0, limits: { bodyBytes: 10 } } },
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
    routes: [
      { pool: 'shop', match: { path: '/large' }, limits: { body: '100' } },
      { pool: 'shop', match: { path: '/**' } },
    ],
  });
  expect((await front.send({ method: 'POST', body: 'x'.repeat(50) })).status).toBe(413);
  expect((await front.send({ method: 'POST', path: '/large', body: 'x'.repeat(50) })).status).toBe(200);
});

matrix(
  'after a refused body the connection closes, and the refusal is read first',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin(), { route: { limits: { body: '1k' } } }));
    const connection = await front.connect();
    const reply = await connection.send({ method: 'POST', length: 5_000_000, body: 'x'.repeat(100_000) });
    expect([reply.status, reply.header('connection'), reply.ended]).toEqual([413, 'close', 'clean']);
    await connection.dismissed();
  },
  { without: HTTP1_ONLY },
);
