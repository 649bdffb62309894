import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { loadConfig } from '../../../src/config/load.ts';
import { startGateway } from '../../../src/gateway.ts';
import { askedOf, headgate } from '../../kit/command-line.ts';
import { startTestGateway } from '../../kit/gateway.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const CONFIG = {
  routes: [
    { name: 'shop', match: { path: '/shop' }, respond: { status: 200 } },
    { name: 'blog', match: { path: '/blog' }, respond: { status: 200 } },
  ],
} as const;

async function operator() {
  const gateway = await startTestGateway({ routes: [...CONFIG.routes] });
  const access = { url: new URL(gateway.gateway.adminUrl), token: null };
  return { gateway, run: (line: string) => askedOf(access, line) };
}

/** A gateway that runs from a file, asked over the Unix socket and with the token file that the file names. */
async function fromFile(rest: string) {
  const folder = mkdtempSync(join(tmpdir(), 'headgate-operator-'));
  stopAfterTest(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, 'headgate.yaml');
  const socket = join(folder, 'admin.sock');
  const write = (text: string): void => writeFileSync(file, text);
  const base = `listeners: { web: { address: 127.0.0.1, port: 0 } }\nadmin: { socket: ${socket}, tokenFile: ${join(folder, 'token')} }\n`;
  writeFileSync(join(folder, 'token'), 'a-token-of-sixteen-or-more\n');
  write(base + rest);
  const load = () => loadConfig(file, {});
  const loaded = load();
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join('\n'));
  const gateway = await startGateway({
    ...{ config: loaded.config, origins: loaded.origins, source: { load }, certificatesDirectory: folder },
    logLevel: 'silent',
  });
  stopAfterTest(() => gateway.close());
  return { gateway, folder, file, socket, write: (text: string) => write(base + text) };
}

test('routes are taken out of service and back, and told', async () => {
  const { gateway, run } = await operator();
  expect(await run('maintenance')).toMatchObject({ code: 0, out: 'Nothing is out of service\n' });
  expect((await run('maintenance on shop --retry-after 90')).out).toMatch(
    /^route shop {2}out of service since \S+, clients are told to come again in 90 s\n$/,
  );
  expect((await run('maintenance on shop --retry-after 90')).out).toContain(', as it was before');
  expect((await run('maintenance on --all')).out).toContain('all routes  out of service');
  expect((await run('maintenance')).out.split('\n')).toHaveLength(3);
  expect((await run('status')).out).toContain('OUT OF SERVICE');
  expect((await run('maintenance off --all')).out).toBe('all routes  in service\n');
  expect(await run('maintenance on shpo')).toMatchObject({
    ...{ code: 1, err: 'headgate: “shpo” is no route: did you mean “shop”?\n' },
  });
  expect(JSON.parse((await run('maintenance --json')).out)).toMatchObject({ all: null, routes: [{ route: 'shop' }] });
  expect(gateway.status().maintenance.routes).toHaveLength(1);
});

test('the level of the log is told and set', async () => {
  const { run } = await operator();
  expect(await run('log-level')).toMatchObject({ code: 0, out: 'silent\n' });
  expect(await run('log-level error')).toMatchObject({ code: 0, out: 'error\n' });
  expect(await run('log-level --json')).toMatchObject({ out: '{"level":"error"}\n' });
  expect(await run('log-level loud')).toMatchObject({ code: 2, err: expect.stringContaining('“loud” is not a level') });
});

test('a reload tells what has changed, and every mistake with its line; the gateway is found by its configuration', async () => {
  const { gateway, file, write } = await fromFile('routes: [{ name: one, respond: { status: 200 } }]\n');
  const run = (...argv: string[]) => headgate([...argv, '-c', file]);
  expect(await run('reload')).toMatchObject({ code: 0, out: expect.stringMatching(/^Reloaded in \d+ ms\n$/), err: '' });
  write('cache: { size: 10M }\nroutes: [{ name: two, respond: { status: 200 } }]\n');
  expect((await run('reload')).out).toContain('  not before a restart: changes of cache.size\n');
  write('routs: []\n');
  const refused = await run('reload');
  expect(refused).toMatchObject({ code: 78, out: '' });
  expect(refused.err).toContain('did you mean “routes”?');
  expect(refused.err).toContain(`${file}:3:1`);
  expect(refused.err).toContain('The running configuration was not touched.');
  const status = await run('status');
  expect(status.out).toContain('was refused');
  expect(gateway.reloads.map(({ result, by }) => [result, by.via])).toEqual([
    ['applied', 'cli'],
    ['applied', 'cli'],
    ['refused', 'cli'],
  ]);
});

test('a Unix socket is asked by its path, with the token in a file', async () => {
  const { folder, socket } = await fromFile('');
  const place = ['--admin', `unix:${socket}`];
  expect((await headgate(['status', ...place])).code).toBe(0);
  expect((await headgate(['reload', ...place])).code).toBe(77);
  expect((await headgate(['reload', ...place, '--token-file', join(folder, 'token')])).code).toBe(0);
  const nobody = await headgate(['status', '--admin', `unix:${folder}/nobody.sock`]);
  expect(nobody).toMatchObject({
    code: 69,
    err: expect.stringContaining(`No gateway answers at unix:${folder}/nobody.sock (ENOENT)`),
  });
});
