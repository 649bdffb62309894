import { describe, expect, test } from 'vitest';
import { headgate } from '../../kit/command-line.ts';
import { forwardTo } from '../../kit/config.ts';
import { until } from '../../kit/deadline.ts';
import { startTestGateway } from '../../kit/gateway.ts';
import { origin } from '../../kit/origin.ts';

/** A gateway whose access log is off, and that has been asked for these paths. */
async function asked(...paths: readonly string[]) {
  const shop = await origin({ script: [{ respond: 200 }, { respond: 503 }, { respond: 200 }] });
  const rest = { accessLog: { enabled: false } };
  const gateway = await startTestGateway(forwardTo(shop, { rest }));
  const ask = async (path: string) => {
    const response = await fetch(new URL(path, gateway.url()), { headers: { Authorization: 'Bearer secret' } });
    await response.text();
    await gateway.nextRecord();
  };
  for (const path of paths) await ask(path);
  const environment = { HEADGATE_ADMIN: gateway.gateway.adminUrl };
  return { gateway, shop, ask, run: (...argv: string[]) => headgate(argv, { environment }) };
}

describe('headgate tail', () => {
  test('shows the last exchanges of a gateway that writes no access log, without anything secret', async () => {
    const { shop, run } = await asked('/a?token=secret', '/b', '/c');
    const { code, out, err } = await run('tail', '--no-follow');
    expect([code, err]).toEqual([0, '']);
    const [first, second] = out.split('\n');
    const time = String.raw`\d\d:\d\d:\d\d\.\d{3}`;
    expect(first).toMatch(new RegExp(`^${time}  200  GET  127\\.0\\.0\\.1:\\d+/a  [\\d.]+ ms  127\\.0\\.0\\.1  all  `));
    expect(first).toContain(`http://127.0.0.1:${shop.port}`);
    expect(second).toContain('  503  GET  ');
    expect(out).not.toContain('secret');
    const json = await run('tail', '--no-follow', '--json', '-n', '2', 'status>=500 or path=/c');
    const lines = json.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { path: string; time: string });
    expect(lines.map(({ path }) => path)).toEqual(['/b', '/c']);
    expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
  });

  test('follows until the gateway is gone', async () => {
    const { gateway, ask } = await asked('/before');
    const out: string[] = [];
    const { runCommandLine } = await import('../../../src/cli/command-line.ts');
    const tail = runCommandLine(['tail', '-n', '0', 'path!=/b'], {
      stdin: (async function* () {})(),
      stdout: { write: (text) => void out.push(text) },
      stderr: { write: () => {} },
      environment: { HEADGATE_ADMIN: gateway.gateway.adminUrl },
    });
    // Its first page is empty: whatever ends after that is shown.
    await until(() => out.length > 0, 'the first page');
    for (const path of ['/a', '/b', '/c']) await ask(path);
    await until(() => out.join('').includes('/c'), 'the last line');
    await gateway.gateway.close();
    expect(await tail).toBe(69);
    expect(out.join('').match(/\/[a-z]+ {2}/g)).toEqual(['/a  ', '/c  ']);
  });

  test('a mistake in a filter is shown where it was made, here and by the gateway', async () => {
    const { gateway, run } = await asked();
    expect(await run('tail', 'status>=500 and paht~^/api')).toMatchObject({
      code: 2,
      err: 'headgate: The filter is not understood: “paht” is no field: did you mean “path”?\n  status>=500 and paht~^/api\n                  ^\n',
    });
    const response = await fetch(new URL('/tail?filter=status%3E', gateway.gateway.adminUrl));
    expect([response.status, await response.json()]).toEqual([
      400,
      { error: 'bad-filter', message: 'There is a number missing (column 8)', parameter: 'filter' },
    ]);
  });

  test('a gateway that remembers nothing says so', async () => {
    const gateway = await startTestGateway({ routes: [{ respond: { status: 200 } }], accessLog: { recent: 0 } });
    const environment = { HEADGATE_ADMIN: gateway.gateway.adminUrl };
    expect(await headgate(['tail', '--no-follow'], { environment })).toMatchObject({
      code: 1,
      err: 'headgate: This gateway remembers no exchanges: accessLog.recent is 0\n',
    });
    expect((await headgate(['top'], { environment })).code).toBe(1);
  });
});

describe('headgate top', () => {
  test('shows what the exchanges of the last seconds come to, once where there is no terminal', async () => {
    const { run } = await asked('/a', '/b', '/c');
    const { code, out } = await run('top', '--by', 'status');
    expect(code).toBe(0);
    expect(out).toMatch(/^the last [\d.]+ s\n\nSTATUS +PER SECOND +EXCHANGES +FAILED +P50 +P99 +BYTES OUT\n/);
    expect(out).toMatch(/\n200 +[\d.]+ +2 +0 % +[\d.]+ ms +[\d.]+ ms +\d+ B\n503 +[\d.]+ +1 +100 % /);
    expect(out).toMatch(/\nall +[\d.]+ +3 +33 % /);
    const json = await run('top', '--by', 'client', '--json', 'status=503');
    expect(JSON.parse(json.out)).toMatchObject({ by: 'client', rows: [{ name: '127.0.0.1', exchanges: 1 }], more: 0 });
  });
});
