import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener } from '../kit/listener.ts';
import { HTTP2_ONLY, matrix } from '../kit/matrix.ts';

/** A PING overtakes nothing: when it is answered, all that was sent before has been read. */
function readByGateway(session: { ping(callback: () => void): boolean }): Promise<void> {
  return new Promise((resolve) => session.ping(() => resolve()));
}

test('an HTTP/2 body that ended without a byte, before anybody asked for it, still ends', async () => {
  const listener = await startListener({ tls: true });
  const client = await H2Client.connect({ port: listener.port });
  const request = client.start({ ':path': '/', ':method': 'POST' }, null);
  const held = await listener.inbox.next();
  request.stream.end();
  await readByGateway(client.session);
  expect(await held.body()).toMatchObject({ text: '', failure: null });
  held.respond(204);
  expect((await request.response()).status).toBe(204);
});

test('an HTTP/2 body that ended without a byte can be dropped', async () => {
  const listener = await startListener({ tls: true });
  const client = await H2Client.connect({ port: listener.port });
  const request = client.start({ ':path': '/', ':method': 'POST' }, null);
  const held = await listener.inbox.next();
  request.stream.end();
  await readByGateway(client.session);
  held.exchange.requestBody.discard();
  held.respond(204);
  expect((await request.response()).status).toBe(204);
  await held.closed();
});

matrix(
  'a request whose announced body turns out empty right behind its head is answered',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const connection = await front.connectHttp2();
    for (const method of ['POST', 'GET', 'DELETE']) {
      const exchange = connection.begin({ method, chunked: true });
      // The head is a packet of its own, and the end comes while the gateway still connects.
      await new Promise((resolve) => setImmediate(resolve));
      exchange.end();
      expect((await exchange.reply()).status).toBe(200);
    }
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an empty body of unannounced length is sent again when its connection was stale',
  async ({ gateway, origin }) => {
    const shop = await origin({ scripts: [['respond 200', 'read head', 'close'], ['respond 200']] });
    const front = await gateway(forwardTo(shop));
    const connection = await front.connect();
    expect((await connection.send({})).status).toBe(200);
    const reply = await connection.send({ method: 'DELETE', chunked: true, body: '' });
    expect([reply.status, shop.requests]).toEqual([200, 3]);
  },
);
