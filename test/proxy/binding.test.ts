import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { loadConfig } from '../../src/config/load.ts';
import { startGateway } from '../../src/gateway.ts';
import { startListener } from '../kit/listener.ts';
import { exchangeRaw } from '../kit/raw-client.ts';
import { stopAfterTest } from '../kit/stop.ts';

const get = 'GET / HTTP/1.1\r\nHost: shop.test\r\n\r\n';

/** A port of 127.0.0.1 that is in use until the end of the test. */
async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** Why a gateway on this configuration file does not start. */
async function obstacle(text: string): Promise<{ readonly message: string; readonly obstacle: string }> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-bind-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  const file = join(directory, 'gateway.yaml');
  await writeFile(file, `${text}\nroutes: [{ respond: {} }]\naccessLog: { enabled: false }\n`);
  const loaded = loadConfig(file, {});
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  const { config, origins } = loaded;
  const started = startGateway({ config, origins, certificatesDirectory: directory, logLevel: 'silent' });
  started.then(
    (gateway) => gateway.close(),
    () => {},
  );
  const error = await started.then(
    () => new Error('It started'),
    (reason: unknown) => reason as Error & { obstacle: string },
  );
  return { message: error.message.replaceAll(directory, '…'), obstacle: 'obstacle' in error ? error.obstacle : 'none' };
}

describe('an address that can’t be listened on is one line with its listener and place', () => {
  test('a port in use', async () => {
    const port = await takenPort();
    expect(await obstacle(`admin: { port: 0 }\nlisteners:\n  web:\n    address: 127.0.0.1\n    port: ${port}`)).toEqual(
      {
        message: `Cannot listen on 127.0.0.1:${port} (listener “web”, …/gateway.yaml:5): the port is in use already; stop what listens there, or choose another`,
        obstacle: 'address-in-use',
      },
    );
  });

  test('a port in use, written in the address', async () => {
    const port = await takenPort();
    const { message } = await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: '127.0.0.1:${port}' }`);
    expect(message).toContain(`Cannot listen on 127.0.0.1:${port} (listener “web”, …/gateway.yaml:3): `);
  });

  test('a port of every address, in use on one of them', async () => {
    const port = await takenPort();
    const found = await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: ':${port}' }`);
    expect(found.obstacle).toBe('address-in-use');
    expect(found.message).toContain(`Cannot listen on port ${port} (`);
  });

  test('the admin listener’s port', async () => {
    const port = await takenPort();
    expect(await obstacle(`listeners: { web: { address: '127.0.0.1', port: 0 } }\nadmin: { port: ${port} }`)).toEqual({
      message: `Cannot listen on 127.0.0.1:${port} (the admin listener, …/gateway.yaml:2): the port is in use already; stop what listens there, or choose another`,
      obstacle: 'address-in-use',
    });
  });

  test('an address that this machine does not have', async () => {
    const found = await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: '[2001:db8::1]:0' }`);
    expect(found).toEqual({
      message: 'Cannot listen on [2001:db8::1]:0 (listener “web”, …/gateway.yaml:3): this machine has no such address',
      obstacle: 'configuration',
    });
    expect(
      (await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: no-such-host.invalid, port: 0 }`)).obstacle,
    ).toBe('configuration');
  });

  test('a Unix socket in use, and one without a directory', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'headgate-bind-'));
    stopAfterTest(() => rm(directory, { recursive: true, force: true }));
    const path = join(directory, 'front.sock');
    const server = createServer().listen(path);
    await once(server, 'listening');
    stopAfterTest(() => server.close());
    expect(await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: 'unix:${path}' }`)).toEqual({
      message: `Cannot listen on ${path} (listener “web”, …/gateway.yaml:3): another process listens there, or the file is no socket`,
      obstacle: 'address-in-use',
    });
    const nowhere = join(directory, 'none', 'front.sock');
    expect(await obstacle(`admin: { port: 0 }\nlisteners:\n  web: { address: 'unix:${nowhere}' }`)).toEqual({
      message: `Cannot listen on ${nowhere} (listener “web”, …/gateway.yaml:3): its directory does not exist`,
      obstacle: 'configuration',
    });
  });
});

describe('a listener', () => {
  test.each([
    ['without an address', null],
    ['on ::', '::'],
  ])('%s is reached over IPv4 and IPv6, whose clients have plain addresses', async (_, host) => {
    const { port, inbox } = await startListener({ over: { place: { kind: 'tcp', host, port: 0 } } });
    for (const address of ['127.0.0.1', '::1']) {
      const reply = exchangeRaw({ port, host: address }, get);
      const held = await inbox.next();
      expect(held.exchange.client).toMatchObject({ peer: address, localAddress: address, localPort: port });
      held.respond(204);
      expect((await reply).status).toBe(204);
    }
  });

  test('on 0.0.0.0 is not reached over IPv6', async () => {
    const { port } = await startListener({ over: { place: { kind: 'tcp', host: '0.0.0.0', port: 0 } } });
    await expect(exchangeRaw({ port, host: '::1' }, get)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });
});
