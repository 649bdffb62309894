import { connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { describe, expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { FrameClient } from '../kit/frame-client.ts';
import { startTestGateway } from '../kit/gateway.ts';
import * as h2 from '../kit/h2-frames.ts';
import { Http1Client } from '../kit/http1-client.ts';
import { Http2Client, settled } from '../kit/http2-client.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { origin } from '../kit/origin.ts';
import { PROXIED_V1 } from '../kit/proxy-protocol.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';

async function started(script?: Parameters<typeof origin>[0]) {
  const shop = await origin(script);
  const gateway = await startTestGateway({ ...forwardTo(shop), listeners: { web: { port: 0, h2c: true } } });
  return { shop, gateway, port: gateway.port() };
}

async function http2(port: number): Promise<Http2Client> {
  const session = connectHttp2(`http://127.0.0.1:${port}`);
  const client = new Http2Client(session);
  stopAfterTest(() => client.close());
  await settled(session);
  return client;
}

describe('a plain listener with h2c', () => {
  test('serves HTTP/2 by prior knowledge, and the endpoint hears that it was not encrypted', async () => {
    const { shop, gateway, port } = await started();
    const client = await http2(port);
    const reply = await client.send({ method: 'POST', body: 'hello' });
    expect(reply.status).toBe(200);
    expect(shop.received[0]).toMatchObject({ method: 'POST', text: 'hello' });
    expect(shop.received[0]?.header('x-forwarded-proto')).toBe('http');
    expect(await gateway.nextRecord()).toMatchObject({ request: { version: '2', scheme: 'http' } });
  });

  test('serves many streams at once', async () => {
    const { port } = await started();
    const client = await http2(port);
    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => client.send({ path: `/${i}` })));
    expect(new Set(replies.map(({ status }) => status))).toEqual(new Set([200]));
  });

  test('serves HTTP/1.1 beside it: requests in one packet, in pieces, with a body', async () => {
    const { shop, port } = await started();
    const client = await http1(port);
    client.write(
      'POST /1 HTTP/1.1\r\nHost: shop.test\r\nContent-Length: 3\r\n\r\nabcGET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n',
    );
    expect((await client.expect().reply()).status).toBe(200);
    expect((await client.expect().reply()).status).toBe(200);
    const slow = await http1(port);
    for (const piece of ['P', 'UT /3 HTTP/1.1\r\nHo', 'st: shop.test\r\nContent-Length: 3\r\n\r\na', 'bc']) {
      slow.write(piece);
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect((await slow.expect().reply()).status).toBe(200);
    expect(shop.received.map(({ method, target, body }) => `${method} ${target} ${body.toString()}`)).toEqual([
      'POST /1 abc',
      'GET /2 ',
      'PUT /3 abc',
    ]);
  });

  test('ignores “Upgrade: h2c” as every other does', async () => {
    const { port } = await started();
    const head = 'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n';
    const reply = await exchangeRaw({ port }, `${head}HTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`);
    expect([reply.status, reply.header('upgrade')]).toEqual([200, null]);
  });

  test('refuses the preface’s request line when it is no preface', async () => {
    const { port } = await started();
    expect((await exchangeRaw({ port }, 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n')).status).toBe(400);
  });

  test('lets a WebSocket’s first bytes through that come with its handshake', async () => {
    const { port } = await started({ script: ['read head', 'upgrade', 'echo'] });
    const client = await RawClient.connect({ port });
    client.send(
      'GET /chat HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\nfirst',
    );
    await client.until('\r\n\r\n');
    expect(await client.until('first')).toBe('first');
  });

  test('says why it closed a client that said nothing, or only the beginning of a preface', async () => {
    const clock = new ManualClock();
    const listener = await startListener({ clock, over: { h2c: true }, limits: { headTimeout: 5_000 } });
    const silent = await RawClient.connect({ port: listener.port });
    const slow = await RawClient.connect({ port: listener.port });
    await slow.sendAll('PRI * HT');
    // A third that is served is read after them.
    const third = await FrameClient.connect({ port: listener.port, tls: false });
    expect(await third.alive()).toBe(true);
    clock.advance(7_000);
    await Promise.all([silent.closed(), slow.closed()]);
    expect(listener.refusals.map(({ reason, status }) => `${reason} ${status}`).sort()).toEqual([
      'head-timeout 0',
      'no-request 0',
    ]);
  });

  test('bounds floods like HTTP/2 over TLS', async () => {
    const listener = await startListener({ over: { h2c: true } });
    const client = await FrameClient.connect({ port: listener.port, tls: false });
    await client.sendAll(Buffer.concat(Array.from({ length: 300 }, () => h2.ping())));
    expect(await client.goodbye()).toBe(h2.CODE.calm);
    expect((await listener.refusal()).reason).toBe('http2-ping-flood');
  });

  test.each([0, 5, PROXIED_V1.length, PROXIED_V1.length + 10])(
    'reads the preface behind a PROXY header, cut after %i bytes',
    async (at) => {
      const listener = await startListener({ over: { h2c: true, proxyProtocol: true, trustedProxies: ['127.0.0.1'] } });
      const bytes = Buffer.concat([PROXIED_V1, h2.PREFACE, h2.settings(), h2.get(1)]);
      const client = await FrameClient.dial({ port: listener.port, tls: false });
      await client.sendAll(bytes.subarray(0, at));
      await client.sendAll(bytes.subarray(at));
      const held = await listener.inbox.next();
      expect(held.exchange.client.address).toBe('203.0.113.9');
      expect(held.exchange.request.version).toBe('2');
      held.respond(204);
      await held.closed();
    },
  );

  test('drains its sessions', async () => {
    const listener = await startListener({ over: { h2c: true } });
    const client = await FrameClient.connect({ port: listener.port, tls: false });
    client.send(h2.get(1));
    const held = await listener.inbox.next();
    const drained = listener.listener.drain(10_000);
    await client.frame((frame) => frame.type === h2.TYPE.goaway);
    const question = await client.frame((frame) => frame.type === h2.TYPE.ping && frame.flags === 0);
    client.send(h2.frame(h2.TYPE.ping, h2.ACK, 0, question.payload));
    held.respond(200, [], 'done');
    const last = await client.frame((frame) => frame.type === h2.TYPE.data);
    expect(last.payload.toString()).toBe('done');
    await drained;
  });
});

test('a plain listener without h2c refuses the preface', async () => {
  const listener = await startListener();
  expect((await exchangeRaw({ port: listener.port }, h2.PREFACE.toString('latin1'))).status).toBe(400);
});

async function http1(port: number): Promise<Http1Client> {
  const socket = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  socket.on('error', () => {});
  const client = new Http1Client(socket, socket);
  stopAfterTest(() => client.close());
  return client;
}
