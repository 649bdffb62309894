import { once } from 'node:events';
import { statSync } from 'node:fs';
import { access, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test, vi } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { startListener, type TestListener, type TestListenerOptions } from '../kit/listener.ts';
import { origin } from '../kit/origin.ts';
import { headerV2, PROXIED_V1 } from '../kit/proxy-protocol.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';

/** A file name in a directory that exists for this test. */
async function socketFile(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-unix-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'front.sock');
}

function listenAt(path: string, options: TestListenerOptions = {}, mode = 0o660): Promise<TestListener> {
  return startListener({ ...options, over: { place: { kind: 'unix', path, mode }, ...options.over } });
}

/** The file of a listener that ended without removing it. */
async function abandon(path: string): Promise<void> {
  const server = new Server();
  server.listen(path);
  await once(server, 'listening');
  // What the end of its process would do: the descriptor goes, and nobody removes the file.
  const { rename } = await import('node:fs/promises');
  await rename(path, `${path}.kept`);
  server.close();
  await once(server, 'close');
  await rename(`${path}.kept`, path);
}

describe('a listener on a Unix socket', () => {
  test('serves requests, whose clients are unix:', async () => {
    const path = await socketFile();
    const { inbox } = await listenAt(path);
    const reply = exchangeRaw({ port: 0, path }, get);
    const held = await inbox.next();
    expect(held.exchange.client).toEqual({
      address: 'unix:',
      peer: 'unix:',
      peerPort: 0,
      trusted: false,
      forwardedBy: 'x-forwarded-for',
      localAddress: '',
      localPort: 0,
      tls: null,
    });
    held.respond(204);
    expect((await reply).status).toBe(204);
  });

  test('speaks TLS there, too', async () => {
    const path = await socketFile();
    const { inbox } = await listenAt(path, { tls: true });
    const replies = [1, 2].map(() => exchangeRaw({ port: 0, path, tls: { serverName: 'shop.test' } }, get));
    for (let i = 0; i < 2; i += 1) {
      const held = await inbox.next();
      expect(held.exchange.client).toMatchObject({ peer: 'unix:', tls: { serverName: 'shop.test' } });
      held.respond(204);
    }
    for (const reply of replies) expect((await reply).status).toBe(204);
  });

  test('says whom it refused', async () => {
    const path = await socketFile();
    const listener = await listenAt(path, { tls: true });
    const reply = await exchangeRaw({ port: 0, path }, get);
    expect(reply.text).toContain('http-on-tls-port');
    expect(await listener.refusal()).toMatchObject({ peer: 'unix:', reason: 'http-on-tls-port' });
  });

  test('is not bound to the limit of one address, since many come that way', async () => {
    const path = await socketFile();
    const listener = await listenAt(path, { limits: { connectionsPerAddress: 1, connections: 3 } });
    const open = () => RawClient.connect({ port: 0, path });
    await Promise.all([open(), open(), open()]);
    expect(await (await open()).rest()).toBe('');
    expect(await listener.refusal()).toMatchObject({ peer: 'unix:', reason: 'connection-limit' });
  });

  test('believes forwarding fields when unix: is trusted', async () => {
    const path = await socketFile();
    const { inbox } = await listenAt(path, { over: { trustedProxies: ['unix:', '10.0.0.0/8'] } });
    const said = 'GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 203.0.113.9, 10.0.0.1\r\n\r\n';
    const reply = exchangeRaw({ port: 0, path }, said);
    const held = await inbox.next();
    expect(held.exchange.client).toMatchObject({ address: '203.0.113.9', peer: 'unix:', trusted: true });
    held.respond(204);
    await reply;
  });

  test('takes PROXY headers of trusted peers', async () => {
    const path = await socketFile();
    const { inbox } = await listenAt(path, { over: { trustedProxies: ['unix:'], proxyProtocol: true } });
    for (const [header, client] of [
      [PROXIED_V1, { peer: '203.0.113.9', peerPort: 51_234, trusted: false, localPort: 8443 }],
      [headerV2(0x20, 0), { peer: 'unix:', trusted: true }],
      [headerV2(0x21, 0x31, Buffer.alloc(216)), { peer: 'unix:', trusted: true }],
    ] as const) {
      const reply = exchangeRaw({ port: 0, path, preamble: [header] }, get);
      const held = await inbox.next();
      expect(held.exchange.client).toMatchObject(client);
      held.respond(204);
      await reply;
    }
  });

  test('has the permissions that it was given, and goes with the listener', async () => {
    for (const mode of [0o660, 0o600, 0o666]) {
      const path = await socketFile();
      const { listener } = await listenAt(path, {}, mode);
      expect((await stat(path)).mode & 0o777).toBe(mode);
      await listener.close();
      await expect(access(path)).rejects.toMatchObject({ code: 'ENOENT' });
    }
  });

  test('is nobody’s to connect to before it has them, however loose the umask is', async () => {
    const path = await socketFile();
    const seen: number[] = [];
    const { listen } = Server.prototype;
    const spy = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...where: unknown[]) {
      Reflect.apply(listen, this, where);
      seen.push(statSync(path).mode & 0o777);
      return this;
    });
    const umask = process.umask(0);
    stopAfterTest(() => {
      spy.mockRestore();
      process.umask(umask);
    });
    await listenAt(path, {}, 0o600);
    expect(seen).toEqual([0]);
    expect(process.umask()).toBe(0);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  test('takes the place of one whose process has died', async () => {
    const path = await socketFile();
    await abandon(path);
    expect((await stat(path)).isSocket()).toBe(true);
    const { inbox } = await listenAt(path);
    const reply = exchangeRaw({ port: 0, path }, get);
    (await inbox.next()).respond(204);
    expect((await reply).status).toBe(204);
  });

  test('leaves one alone that is in use, and every other kind of file', async () => {
    const path = await socketFile();
    const first = await listenAt(path);
    await expect(listenAt(path)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    const reply = exchangeRaw({ port: 0, path }, get);
    (await first.inbox.next()).respond(204);
    expect((await reply).status).toBe(204);
    const data = `${path}.data`;
    await writeFile(data, 'precious');
    await expect(listenAt(data)).rejects.toMatchObject({ code: 'EADDRINUSE' });
    expect((await stat(data)).size).toBe(8);
  });

  test.each([
    ['ENOENT', 'no/such/directory'],
    ['EINVAL', 'x'.repeat(120)],
  ])('that can’t be made is the caller’s error: %s', async (code, name) => {
    await expect(listenAt(`${await socketFile()}-${name}`)).rejects.toMatchObject({ code });
  });
});

describe('a gateway on a Unix socket', () => {
  test('adds no address to what endpoints are told, and keeps what a trusted proxy told', async () => {
    const [path, server] = [await socketFile(), await origin()];
    const listener = { address: `unix:${path}`, port: undefined, mode: '0600' };
    for (const trustedProxies of [[], ['unix:']]) {
      const gateway = await startTestGateway(forwardTo(server, { listener: { ...listener, trustedProxies } }));
      expect(gateway.url()).toBe(`unix:${path}`);
      expect((await stat(path)).mode & 0o777).toBe(0o600);
      const said = 'GET / HTTP/1.1\r\nHost: shop.test\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n';
      expect((await exchangeRaw({ port: 0, path }, said)).status).toBe(200);
      await gateway.gateway.close();
    }
    const [untrusted, trusted] = server.received;
    expect(untrusted?.all('x-forwarded-for')).toEqual([]);
    expect(untrusted?.all('forwarded')).toEqual(['for=unknown;host=shop.test;proto=http']);
    expect(trusted?.all('x-forwarded-for')).toEqual(['203.0.113.9']);
  });
});
