import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';

const EXPECT = ['Expect', '100-continue'];

matrix('a client that expects 100-continue gets it from the gateway and its body arrives', async (stage) => {
  const shop = await stage.origin({ script: ['read head', 'read body', 'respond 201'] });
  const front = await stage.gateway(forwardTo(shop));
  const exchange = await front.begin({ method: 'POST', headers: EXPECT, length: 4 });
  expect((await exchange.interim(0)).status).toBe(100);
  await exchange.write('abcd');
  exchange.end();
  const reply = await exchange.reply();
  expect([reply.status, reply.informational.length]).toEqual([201, 1]);
  const received = await shop.complete();
  expect(received.text).toBe('abcd');
  expect(received.header('expect')).toBeNull();
});

matrix('a body that is too large is refused before it is asked for', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { limits: { body: '1k' } } }));
  const exchange = await front.begin({ method: 'POST', headers: EXPECT, length: 2048 });
  const reply = await exchange.reply();
  expect([reply.status, reply.informational.length, reply.ended]).toEqual([413, 0, 'clean']);
  expect(shop.accepted).toBe(0);
});

matrix('a request without a route is refused before its body is asked for', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { match: { path: '/shop/**' } } }));
  const reply = await (await front.begin({ method: 'PUT', path: '/x', headers: EXPECT, length: 10 })).reply();
  expect([reply.status, reply.informational.length]).toEqual([404, 0]);
});

matrix('an expectation other than 100-continue is refused with 417', async ({ gateway, origin }) => {
  const front = await gateway(forwardTo(await origin()));
  const reply = await front.send({ headers: ['Expect', 'the-unexpected'] });
  expect(reply.status).toBe(417);
});

matrix('a client that does not wait for the 100 is served all the same', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ method: 'POST', headers: EXPECT, body: 'at once' });
  expect(reply.status).toBe(200);
  expect((await shop.complete()).text).toBe('at once');
});

matrix('an expecting client whose endpoint refuses connections gets 502, not a hang', async ({ gateway }) => {
  const front = await gateway(forwardTo({ port: await deadPort() }));
  const exchange = await front.begin({ method: 'POST', headers: EXPECT, length: 4 });
  const reply = await exchange.reply();
  expect(reply.status).toBe(502);
});

matrix(
  'after a refusal without a 100 the connection closes, because a body may or may not follow',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin(), { route: { limits: { body: '1' } } }));
    const connection = await front.connect();
    const reply = await connection.send({ method: 'POST', headers: EXPECT, length: 10 });
    expect([reply.status, reply.header('connection')]).toEqual([413, 'close']);
    await connection.dismissed();
  },
  { without: HTTP1_ONLY },
);
