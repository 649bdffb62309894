import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { configFromObject } from '../../src/config/load.ts';
import { config } from '../../src/config/schema/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { hastyClock } from '../kit/hasty-clock.ts';
import { stopAfterTest } from '../kit/stop.ts';

const routes = [{ respond: { status: 200, body: 'here' } }];

/** A change of each section, and what of it only counts after a restart. */
const SECTIONS: Readonly<Record<string, readonly [change: TestConfig & { readonly admin?: object }, string[]]>> = {
  listeners: [{ listeners: { web: { port: 0 }, more: { port: 0 } } }, []],
  pools: [{ pools: { shop: { endpoints: ['127.0.0.1:1'] } } }, []],
  routes: [{ routes: [{ respond: { status: 204 } }] }, []],
  stores: [{ stores: { counts: { redis: { url: 'redis://127.0.0.1:1' } } } }, []],
  bodyMatching: [{ bodyMatching: { limit: '1k' } }, []],
  policies: [{ policies: { web: { responseHeaders: { remove: ['Server'] } } } }, []],
  defaults: [{ defaults: { timeouts: { total: '1m' } } }, []],
  dns: [{ dns: { refresh: { min: '2s' } } }, []],
  cache: [
    { cache: { size: '1M', objectSize: '64k', tags: { fields: ['X-Tags'] } } },
    ['cache.size', 'cache.objectSize'],
  ],
  overload: [{ overload: { eventLoopDelay: 0, memory: 0 } }, []],
  reload: [{ reload: { watch: false } }, []],
  tracing: [{ tracing: { sample: '1%' } }, []],
  metrics: [{ metrics: { buckets: ['1s'] } }, ['metrics']],
  explain: [{ explain: { from: ['127.0.0.1'] } }, []],
  accessLog: [{ accessLog: { enabled: false, recent: 0 } }, ['accessLog.recent']],
  log: [{ log: { level: 'warn' } }, []],
  drainDelay: [{ drainDelay: '1s' }, []],
  drainTimeout: [{ drainTimeout: '1s' }, []],
  workers: [{ workers: 2 }, ['workers']],
  pidFile: [{ pidFile: '/run/headgate.pid' }, ['pidFile']],
};

test.each(Object.keys(config.shape).filter((section) => section !== 'admin'))(
  'a change of %s counts at once, or the report says that it does not',
  async (section) => {
    const [change, needsRestart] = SECTIONS[section] ?? [{}, ['it is missing in this test']];
    const gateway = await startTestGateway({ routes });
    expect(await gateway.reload({ routes, ...change })).toMatchObject({
      ...{ result: 'applied', diagnostics: [], changes: { needsRestart } },
    });
  },
);

test('a change of the admin listener counts after a restart', async () => {
  const gateway = await startTestGateway({ routes });
  const listeners = { web: { port: 0, address: '127.0.0.1' } };
  const report = await gateway.reloadFrom(configFromObject({ listeners, routes, admin: { port: 0, metrics: 'open' } }));
  expect(report.changes?.needsRestart).toEqual(['admin']);
});

test('another access log takes the place of the one before, and no line is lost', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'headgate-logs-'));
  stopAfterTest(() => rmSync(directory, { recursive: true, force: true }));
  const [first, second] = [join(directory, 'first'), join(directory, 'second')];
  const gateway = await startTestGateway({ routes, accessLog: { file: first } }, { accessLog: true });
  await ask(gateway, '/one');
  await gateway.reload({ routes, accessLog: { file: second, format: 'combined' } });
  await ask(gateway, '/two');
  await gateway.reload({ routes, accessLog: { file: second, format: 'combined', only: 'status>=500' } });
  await ask(gateway, '/three');
  await until(() => linesOf(first).length > 0 && linesOf(second).length > 0, 'the lines');
  await gateway.gateway.close();
  expect(linesOf(first).map((line) => JSON.parse(line).path)).toEqual(['/one']);
  expect(linesOf(second)).toEqual([expect.stringContaining('"GET /two HTTP/1.1" 200')]);
});

test('an access log that can’t be written refuses the reload', async () => {
  const gateway = await startTestGateway({ routes }, { accessLog: true });
  const report = await gateway.reload({ routes, accessLog: { file: `${process.execPath}/log` } });
  expect(report).toMatchObject({ result: 'refused', obstacle: expect.stringContaining('Cannot write the access log') });
  expect(await ask(gateway, '/')).toBe('here');
});

test('overload is measured by the thresholds of the configuration that is served', async () => {
  const pressure = () => ({ eventLoopDelayMs: 300, memory: 0 });
  const options = { pressure, clock: hastyClock() };
  const gateway = await startTestGateway({ routes, overload: { eventLoopDelay: 0, memory: 0 } }, options);
  expect(gateway.status().overload).toBeNull();
  await gateway.reload({ routes, overload: { eventLoopDelay: '100ms', memory: 0 } });
  await until(() => gateway.status().overload?.active === true, 'overload');
  await gateway.reload({ routes, overload: { eventLoopDelay: '1m', memory: 0 } });
  await until(() => gateway.status().overload?.active === false, 'its end');
  await gateway.reload({ routes, overload: { eventLoopDelay: 0, memory: 0 } });
  expect(gateway.status().overload).toBeNull();
});

async function ask(gateway: TestGateway, path: string): Promise<string> {
  const reply = await fetch(`${gateway.url()}${path}`);
  return reply.text();
}

function linesOf(file: string): string[] {
  try {
    return readFileSync(file, 'utf8').split('\n').slice(0, -1);
  } catch {
    return []; // ENOENT
  }
}
