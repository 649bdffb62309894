import { describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener, testCertificate } from '../kit/listener.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';

describe('TLS', () => {
  test('SNI, protocol and cipher are known to the exchange', async () => {
    const { port, inbox } = await startListener({ tls: true });
    const { cert } = await testCertificate();
    const reply = exchangeRaw({ port, tls: { serverName: 'shop.test', ca: cert } }, get);
    const held = await inbox.next();
    expect(held.exchange.request.scheme).toBe('https');
    expect(held.exchange.client.tls).toMatchObject({ serverName: 'shop.test', protocol: 'TLSv1.3' });
    held.respond(200, [], 'safe');
    expect((await reply).text).toBe('safe');
  });

  test('a client without SNI, as for an IP address, gets a certificate too', async () => {
    const { port, inbox } = await startListener({ tls: true });
    const { cert } = await testCertificate();
    const reply = exchangeRaw({ port, tls: { ca: cert } }, get);
    const held = await inbox.next();
    expect(held.exchange.client.tls?.serverName).toBeNull();
    held.respond(200, [], 'safe');
    expect((await reply).text).toBe('safe');
  });

  test('a client that offers no ALPN speaks HTTP/1.1', async () => {
    const { port, inbox } = await startListener({ tls: true });
    const reply = exchangeRaw({ port, tls: { alpn: [] } }, get);
    const held = await inbox.next();
    expect(held.exchange.request.version).toBe('1.1');
    held.respond(204);
    expect((await reply).status).toBe(204);
  });

  test('h2 is offered, unless the listener says otherwise', async () => {
    const { port } = await startListener({ tls: true });
    const client = await H2Client.connect({ port });
    expect(client.session.alpnProtocol).toBe('h2');
    const plain = await startListener({ tls: true, over: { http2: false } });
    await expect(H2Client.connect({ port: plain.port })).rejects.toThrow();
  });

  test('plain HTTP on the TLS port gets a readable answer', async () => {
    const { port, refusals } = await startListener({ tls: true });
    const reply = await exchangeRaw({ port }, get);
    expect(reply.status).toBe(400);
    expect(reply.text).toContain('http-on-tls-port');
    expect(refusals).toMatchObject([{ status: 400, reason: 'http-on-tls-port' }]);
  });

  test('garbage instead of a handshake closes the connection, and is counted', async () => {
    const { port, listener, ...rest } = await startListener({ tls: true });
    const client = await RawClient.connect({ port });
    client.send('\x16\x03\x01\x00\x05hello, this is no handshake');
    await client.closed();
    await until(() => listener.connections === 0, 'the connection to be gone');
    expect(rest.refusals).toMatchObject([{ status: 0, reason: 'bad-handshake', detail: 'ERR_SSL_UNEXPECTED_MESSAGE' }]);
  });

  test('a handshake in progress counts as a connection', async () => {
    const { port, listener, refusals } = await startListener({ tls: true, limits: { connections: 1 } });
    const first = await RawClient.connect({ port });
    const second = await RawClient.connect({ port });
    await second.closed();
    expect(refusals).toMatchObject([{ reason: 'connection-limit' }]);
    first.reset();
    await until(() => listener.connections === 0, 'the first to be gone');
  });

  test('closing the listener destroys handshakes, HTTP/1.1 and HTTP/2 connections alike', async () => {
    const { port, listener, inbox } = await startListener({ tls: true });
    const shaking = await RawClient.connect({ port });
    const http1 = await RawClient.connect({ port, tls: {} });
    const http2 = await H2Client.connect({ port });
    http2.start({ ':path': '/' });
    http1.send(get);
    const [one, two] = [await inbox.next(), await inbox.next()];
    await listener.close();
    await Promise.all([shaking.closed(), http1.closed(), http2.closed(), one.left(), two.left()]);
    expect(listener.connections).toBe(0);
  });

  test('a TLS listener without certificates is a mistake that is found at once', async () => {
    const { Listener } = await import('../../src/downstream/listener.ts');
    const { systemClock } = await import('../../src/clock.ts');
    const { listener } = await startListener();
    expect(listener.name).toBe('web');
    const options = {
      name: 'bare',
      kind: 'http',
      passthrough: false,
      place: { kind: 'tcp', host: '127.0.0.1', port: 0 },
      proxyProtocol: false,
      tls: true,
      hsts: null,
      http2: true,
      h2c: false,
      fastLane: true,
      profile: 'edge',
      trustedProxies: [],
      forwardedBy: 'forwarded',
      underscores: 'drop',
    } as const;
    const limits = {
      headerBytes: 1,
      headerCount: 1,
      headTimeout: 1,
      bodyRate: 1,
      idleTimeout: 1,
      connections: 1,
      connectionsPerAddress: 1,
      streams: 1,
    };
    const deps = {
      handle: () => {},
      clock: systemClock,
      certificates: null,
      tlsPolicies: null,
      tlsChallenges: null,
      streams: null,
      log: { refused: () => {}, broke: () => {} },
    };
    expect(() => new Listener({ ...options, limits }, deps)).toThrow(TypeError);
  });
});
