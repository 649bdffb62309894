import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

for (const method of ['QUERY', 'PROPFIND', 'PATCH', 'DELETE', 'PURGE', 'M-SEARCH', 'SEARCH']) {
  matrix(`${method} goes to the endpoint with its body`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const reply = await front.send({ method, headers: ['Content-Type', 'text/x-own'], body: 'which ones?' });
    const received = await shop.complete();
    expect([reply.status, received.method, received.text]).toEqual([200, method, 'which ones?']);
    expect(received.header('content-type')).toBe('text/x-own');
  });
}

for (const method of ['GET', 'HEAD', 'OPTIONS', 'DELETE']) {
  matrix(`${method} without a body announces none to the endpoint`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await front.send({ method });
    const received = await shop.request();
    expect([received.method, received.header('content-length'), received.header('transfer-encoding')]).toEqual([
      method,
      null,
      null,
    ]);
  });
}

matrix('a POST without a body says so to the endpoint', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  expect((await front.send({ method: 'POST', body: '' })).status).toBe(200);
  // RFC 9110 §8.6: a server may want to know (411).
  expect((await shop.complete()).header('content-length')).toBe('0');
});

matrix('a GET with a body is forwarded with it, and leaves nothing behind on any connection', async (stage) => {
  const shop = await stage.origin();
  const front = await stage.gateway(forwardTo(shop));
  const connection = await front.connect();
  expect((await connection.send({ body: 'of a GET' })).status).toBe(200);
  expect((await connection.send({ path: '/next' })).status).toBe(200);
  expect([(await shop.complete(0)).text, (await shop.complete(1)).target]).toEqual(['of a GET', '/next']);
  expect(shop.accepted).toBe(1);
});

matrix('a chunked GET is forwarded with its body', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  expect((await front.send({ body: 'of a GET', chunked: true })).status).toBe(200);
  expect((await shop.complete()).text).toBe('of a GET');
});

matrix('TRACE is refused: it would send credentials back in a body', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ method: 'TRACE', headers: ['Cookie', 'secret'] });
  expect(reply.status).toBe(405);
  expect(reply.header('allow')).toContain('GET');
  expect(reply.text).not.toContain('secret');
  expect(shop.requests).toBe(0);
});
