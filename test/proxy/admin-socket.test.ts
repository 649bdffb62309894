import { linkSync, mkdtempSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { banner } from '../../src/cli/banner.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { stopAfterTest } from '../kit/stop.ts';

const JSON_TYPE = { 'content-type': 'application/json' };
const TOKEN = 'a-token-of-sixteen-or-more';

function place() {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-socket-'));
  stopAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  return { folder, socket: join(folder, 'admin.sock') };
}

function ask(socketPath: string, method: string, path: string, headers: object = {}): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const sent = request(
    { socketPath, method, path, agent: false, headers: { host: 'localhost', ...headers } },
    (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    },
  );
  sent.on('error', reject);
  sent.end();
  return promise;
}

const CONFIG = { routes: [{ name: 'all', respond: { status: 200 } }] };

test('over a Unix socket whoever may write to its file reads and changes, and nobody listens on a port', async () => {
  const { socket } = place();
  const gateway = await startTestGateway(CONFIG, { admin: { socket } });
  expect(gateway.gateway.adminUrl).toBe(`unix:${socket}`);
  expect(statSync(socket).mode & 0o777).toBe(0o600);
  expect(await ask(socket, 'GET', '/status')).toBe(200);
  expect(await ask(socket, 'GET', '/config')).toBe(200);
  expect(await ask(socket, 'POST', '/reload', JSON_TYPE)).toBe(200);
  expect(await ask(socket, 'GET', '/status', { host: 'evil.test' })).toBe(421);
  expect(gateway.gateway.reloads[0]?.by).toEqual({ via: 'api', address: null });
  await gateway.gateway.close();
  await expect(ask(socket, 'GET', '/status')).rejects.toMatchObject({ code: 'ENOENT' });
});

test('its mode is that of the configuration, and the token is needed where there is one', async () => {
  const { folder, socket } = place();
  const tokenFile = join(folder, 'token');
  writeFileSync(tokenFile, TOKEN);
  await startTestGateway(CONFIG, { admin: { socket, mode: '0660', tokenFile } });
  expect(statSync(socket).mode & 0o777).toBe(0o660);
  expect(await ask(socket, 'GET', '/status')).toBe(200);
  expect(await ask(socket, 'GET', '/config')).toBe(401);
  expect(await ask(socket, 'POST', '/reload', JSON_TYPE)).toBe(401);
  expect(await ask(socket, 'POST', '/reload', { ...JSON_TYPE, authorization: `Bearer ${TOKEN}` })).toBe(200);
});

test('the file that a gateway left behind is replaced, one that somebody listens on is not', async () => {
  const { socket } = place();
  const crashed = createServer().listen(socket);
  await new Promise((resolve) => crashed.once('listening', resolve));
  await expect(startTestGateway(CONFIG, { admin: { socket } })).rejects.toThrow(/another process listens there/);
  // Its file stays, and nobody is behind it: as after a crash.
  const kept = `${socket}.kept`;
  linkSync(socket, kept);
  await new Promise((resolve) => crashed.close(resolve));
  renameSync(kept, socket);
  await startTestGateway(CONFIG, { admin: { socket } });
  expect(await ask(socket, 'GET', '/healthz')).toBe(200);
});

test('a token file that is missing is a mistake of the configuration, with its place', async () => {
  const { folder } = place();
  const tokenFile = join(folder, 'nowhere');
  await expect(startTestGateway(CONFIG, { admin: { tokenFile } })).rejects.toThrow(`cannot use “${tokenFile}”: ENOENT`);
});

test('the banner says where it is as --admin takes it', async () => {
  const { socket } = place();
  const { gateway } = await startTestGateway(CONFIG, { admin: { socket } });
  const rest = { routes: [], streams: [], colour: false, untrusted: null };
  expect(await banner(gateway, { elapsedMs: 1, ...rest })).toMatch(new RegExp(`Dashboard {2}unix:${socket}\n`));
});
