import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { GatewayProcess, MAIN } from './kit/gateway-process.ts';
import { eventually } from './kit/patience.ts';
import { Spawned } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const file = join(directory, 'gateway.yaml');

const FRAME = 'admin: { port: 0 }\nlisteners:\n  web: { address: 127.0.0.1, port: 0 }\nroutes:\n';
const SOUND = '  - { name: shop, match: { path: /shop }, respond: { body: shop } }\n';
const BROKEN = '  - { name: api, match: { path: /api }, polo: nobody }\n';

function ask(gateway: GatewayProcess, path: string): Promise<Response> {
  return fetch(`http://127.0.0.1:${gateway.port('http')}${path}`);
}

beforeEach(() => writeFileSync(file, FRAME + SOUND + BROKEN));

test('a gateway that starts with a broken route says so, answers 503 for it, and serves the others', async () => {
  const gateway = await GatewayProcess.run(['start', '-c', file], directory);
  try {
    expect((await ask(gateway, '/shop')).status).toBe(200);
    expect((await ask(gateway, '/api')).status).toBe(503);
    const said = gateway.process.stderr.lines.join('\n');
    expect(said).toContain('unknown key “polo”');
    expect(said).toContain('Everything else serves');
    expect(said).toMatch(/\/api +→ +○ quarantined, answers 503/);
  } finally {
    await gateway.stop();
  }
});

test('text that is no YAML keeps what serves, and says so; it starts nothing', async () => {
  writeFileSync(file, FRAME + SOUND);
  const gateway = await GatewayProcess.run(['start', '-c', file], directory);
  try {
    writeFileSync(file, `${FRAME}  - name: shop\n   match: {}\n`);
    gateway.process.signal('SIGHUP');
    const report = await eventually(async () => (await gateway.status()).lastReload, 'a reload');
    expect(report).toMatchObject({ result: 'refused', diagnostics: [{ file, line: 6, code: 'HG0101' }] });
    expect((await ask(gateway, '/shop')).status).toBe(200);
  } finally {
    await gateway.stop();
  }
  const again = new Spawned(process.execPath, [MAIN, 'start', '-c', file], { cwd: directory });
  expect(await again.ended).toMatchObject({ code: 78 });
});

test('--strict starts nothing with a broken route', async () => {
  const child = new Spawned(process.execPath, [MAIN, 'start', '--strict', '-c', file], { cwd: directory });
  expect(await child.ended).toMatchObject({ code: 78 });
  expect(child.stderr.lines.join('\n')).toContain('1 error. Nothing was started.');
});
