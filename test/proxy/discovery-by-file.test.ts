import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { originsAtOnePort, troubleOf, untilHosts, visit } from '../kit/discovery.ts';
import { dnsServer } from '../kit/dns-server.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { hastyClock } from '../kit/hasty-clock.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import type { Origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-endpoints-'));
  stopAfterTest(() => rm(directory, { recursive: true, force: true }));
  return directory;
}

function start(file: string, more: TestConfig = {}): Promise<TestGateway> {
  const pools = { shop: { discover: { file } } };
  return startTestGateway({ pools, routes: [{ name: 'all', pool: 'shop' }], ...more }, { clock: hastyClock() });
}

function detailOf(gateway: TestGateway): string | null {
  return gateway.status().pools[0]?.discovery[0]?.detail ?? null;
}

test('a file lists endpoints; replaced or edited in place, it is read again', async () => {
  const [first] = (await originsAtOnePort(2)) as [Origin, Origin];
  const file = join(await emptyDirectory(), 'endpoints.yaml');
  await writeFile(file, `- 127.0.0.2:${first.port}\n`);
  const gateway = await start(file);
  await untilHosts(gateway, ['127.0.0.2']);
  expect((await visit(gateway)).status).toBe(200);
  await writeFile(`${file}.new`, `- 127.0.0.2:${first.port}\n- { address: 127.0.0.3:${first.port}, weight: 3 }\n`);
  await rename(`${file}.new`, file);
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
  expect(gateway.status().pools[0]?.endpoints.map(({ weight }) => weight)).toEqual([1, 3]);
  await writeFile(file, JSON.stringify([`127.0.0.3:${first.port}`]));
  await untilHosts(gateway, ['127.0.0.3']);
  await writeFile(file, '[]');
  await untilHosts(gateway, []);
  expect((await visit(gateway)).status).toBe(503);
});

test('a broken file leaves the last good one in force, and says where it is broken', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const file = join(await emptyDirectory(), 'endpoints.yaml');
  await writeFile(file, `- 127.0.0.2:${shop.port}\n`);
  const gateway = await start(file);
  await untilHosts(gateway, ['127.0.0.2']);
  await writeFile(file, '- 127.0.0.2:80\n- { adress: 127.0.0.3:80 }\n');
  await until(() => troubleOf(gateway) === 'broken-file', 'the mistake to be noticed');
  expect(detailOf(gateway)).toBe(`${file}:2:5: unknown key “adress”`);
  await writeFile(file, '');
  await until(() => detailOf(gateway) === `${file}:1:1: the file is empty`, 'the next mistake to be noticed');
  await rm(file);
  await until(() => troubleOf(gateway) === 'unreadable-file', 'the loss to be noticed');
  expect(detailOf(gateway)).toBe(`${file}: ENOENT`);
  expect((await visit(gateway)).status).toBe(200);
  await writeFile(file, `- 127.0.0.3:${shop.port}\n`);
  await untilHosts(gateway, ['127.0.0.3']);
  expect(troubleOf(gateway)).toBeNull();
});

test('a file that is not there yet makes an empty pool, until it is', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const file = join(await emptyDirectory(), 'endpoints.json');
  const gateway = await start(file);
  const refused = await visit(gateway);
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
  expect((await gateway.nextRecord()).end.reason).toBe('no-endpoint-known');
  await writeFile(file, `["127.0.0.2:${shop.port}"]`);
  await untilHosts(gateway, ['127.0.0.2']);
  expect((await visit(gateway)).status).toBe(200);
});

test('names in a file are resolved', async () => {
  const dns = await dnsServer({
    'a.test': [{ address: '127.0.0.2', ttl: 5 }],
    'b.test': [{ address: '127.0.0.3', ttl: 5 }],
  });
  const file = join(await emptyDirectory(), 'endpoints.yaml');
  await writeFile(file, '- a.test:3000\n');
  const gateway = await start(file, { dns: { resolvers: dns.address } });
  await untilHosts(gateway, ['127.0.0.2']);
  await writeFile(file, '- b.test:3000\n- 127.0.0.9:3000\n- 127.0.0.3:3000\n');
  await untilHosts(gateway, ['127.0.0.3', '127.0.0.9']);
  expect(gateway.status().pools[0]?.discovery.map(({ source }) => source)).toEqual([`file ${file}`, 'dns b.test']);
});

test('a pool has 1024 endpoints at most', async () => {
  const file = join(await emptyDirectory(), 'endpoints.yaml');
  await writeFile(file, Array.from({ length: 1100 }, (_, i) => `- 127.1.${i >> 8}.${i & 255}:3000\n`).join(''));
  const gateway = await start(file);
  await until(() => gateway.status().pools[0]?.endpoints.length === 1024, '1024 endpoints');
});

test('however often a file changes, nothing looks at it once the gateway is closed', async () => {
  const clock = new ManualClock();
  const file = join(await emptyDirectory(), 'endpoints.yaml');
  await writeFile(file, '- 127.0.0.2:80\n');
  const gateway = await startTestGateway({ pools: { shop: { discover: { file } } }, routes: [] }, { clock });
  await untilHosts(gateway, ['127.0.0.2']);
  for (const host of ['127.0.0.3', '127.0.0.4']) {
    await writeFile(file, `- ${host}:80\n`);
    await until(() => {
      clock.advance(61_000);
      return gateway.status().pools[0]?.endpoints[0]?.origin === `http://${host}`;
    }, `${host} to be found`);
  }
  await gateway.stop();
  expect(clock.pending).toBe(0);
});
