import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const one = { without: ONE_PROTOCOL };

matrix('the access log has a line of JSON for each exchange, without secrets', async ({ gateway, origin }) => {
  const file = temporaryFile();
  const shop = await origin({ script: [{ respond: 200, headers: ['Set-Cookie', 'sid=out'] }] });
  const front = await gateway(forwardTo(shop, { rest: { accessLog: { file } } }), { accessLog: true });
  await front.send({
    path: '/a"b?token=query',
    headers: ['Authorization', 'Bearer bearer', 'Cookie', 'sid=in', 'User-Agent', 'x'],
  });
  await front.send({ path: '/c', authority: 'other.test' });
  await front.gateway.gateway.close();
  const text = readFileSync(file, 'utf8');
  const lines = text.trim().split('\n');
  const [first, second] = lines.map((line) => JSON.parse(line));
  expect(lines).toHaveLength(2);
  expect(first).toMatchObject({
    ...{ listener: 'web', client: '127.0.0.1', method: 'GET', host: 'shop.test', path: '/a"b', status: 200 },
    ...{ bytesIn: 0, bytesOut: 3, route: 'all', pool: 'shop', endpoint: `http://127.0.0.1:${shop.port}`, attempts: 1 },
    ...{ side: 'gateway', end: 'complete', error: null, cache: null },
  });
  expect(first.id).toBe((await shop.request()).header('x-request-id'));
  expect([second.host, second.path, second.sni]).toEqual([
    'other.test',
    '/c',
    front.scheme === 'http' ? null : 'shop.test',
  ]);
  for (const secret of ['query', 'bearer', 'sid=in', 'sid=out']) expect(text).not.toContain(secret);
});

matrix(
  'the combined format is that of other servers, and nobody can forge a line',
  async ({ gateway, origin }) => {
    const file = temporaryFile();
    const shop = await origin();
    const config = forwardTo(shop, { rest: { accessLog: { file, format: 'combined' } } });
    const front = await gateway(config, { accessLog: true });
    await front.send({ path: '/a', headers: ['User-Agent', 'curl" 200 1\t\xff', 'Referer', 'http://x/?key=secret'] });
    await front.gateway.gateway.close();
    const text = readFileSync(file, 'latin1');
    expect(text.split('\n')).toHaveLength(2);
    expect(text).toMatch(
      /^127\.0\.0\.1 - - \[\d\d\/[A-Z][a-z]{2}\/\d{4}:\d\d:\d\d:\d\d \+0000\] "GET \/a HTTP\/1\.1" 200 3 "http:\/\/x\/" "curl\\x22 200 1\\x09\\xff"\n$/,
    );
  },
  one,
);

matrix(
  'an access log that is switched off is not written',
  async ({ gateway, origin }) => {
    const file = temporaryFile();
    const config = forwardTo(await origin(), { rest: { accessLog: { file, enabled: false } } });
    const front = await gateway(config, { accessLog: true });
    await front.send({});
    await front.gateway.gateway.close();
    expect(() => readFileSync(file)).toThrow(/ENOENT/);
  },
  one,
);

matrix(
  'only the lines that are asked for are written, in the format that is asked for',
  async ({ gateway, origin }) => {
    const file = temporaryFile();
    const shop = await origin({ script: ['respond 200', 'respond 503', 'respond 503'] });
    const accessLog = { file, format: 'ecs', only: 'status>=500 and path~^/api' } as const;
    const front = await gateway(forwardTo(shop, { rest: { accessLog } }), { accessLog: true });
    const connection = await front.connect();
    for (const path of ['/api/1', '/api/2', '/3']) await connection.send({ path });
    await front.gateway.gateway.close();
    const lines = readFileSync(file, 'utf8').trim().split('\n');
    expect(lines.map((line) => JSON.parse(line).url.path)).toEqual(['/api/2']);
  },
  one,
);

matrix(
  'a filter that is none is a mistake in the configuration; the level of the log follows a reload',
  async ({ gateway }) => {
    const routes = [{ respond: { status: 200 } }];
    const front = await gateway({ routes });
    const report = await front.reload({ routes, accessLog: { only: 'stauts>=500' } });
    expect(report.diagnostics).toMatchObject([
      {
        code: 'HG0106',
        message: '“stauts” is no field: did you mean “status”? (column 1 of the filter)',
      },
    ]);
    await fetch(new URL('/log-level', front.gateway.gateway.adminUrl), {
      ...{ method: 'PUT', headers: { 'Content-Type': 'application/json' }, body: '{"level":"error"}' },
    });
    await front.reload({ routes: [{ respond: { status: 204 } }] });
    expect(front.gateway.gateway.logLevel).toBe('error');
    expect(await front.reload({ routes, log: { level: 'warn' } })).toMatchObject({ changes: { needsRestart: [] } });
    expect(front.gateway.gateway.logLevel).toBe('warn');
  },
  one,
);

function temporaryFile(): string {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-test-'));
  stopAfterTest(() => rmSync(directory, { recursive: true }));
  return join(directory, 'access.log');
}
