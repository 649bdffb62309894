import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { ask } from '../e2e/kit/client.ts';
import { GatewayProcess } from '../e2e/kit/gateway-process.ts';
import { LocalService } from '../e2e/kit/local-service.ts';
import { eventually } from '../e2e/kit/patience.ts';
import { WorkerLoad } from '../kit/worker-load.ts';

// One fleet for all of them, as each worker is a process: the tests go on from each other's state.
const directory = mkdtempSync(join(tmpdir(), 'headgate-workers-'));
let service: LocalService;
let gateway: GatewayProcess;
let probes = 0;

beforeAll(async () => {
  service = await LocalService.listen(({ url }, response) => {
    if (url === '/health') probes += 1;
    response.setHeader('content-length', 5).end('whole');
  });
  gateway = await GatewayProcess.start(config(), directory);
});

afterAll(async () => {
  await gateway?.stop();
  await service?.close();
  rmSync(directory, { recursive: true, force: true });
});

function config(changes: Partial<ConfigInput> = {}): ConfigInput {
  const origin = `127.0.0.1:${service.port}`;
  return {
    workers: 2,
    listeners: { http: { address: '127.0.0.1', port: 0 } },
    pools: { shop: { endpoints: [origin], health: { path: '/health', interval: '100ms', jitter: 0 } } },
    routes: [{ name: 'shop', pool: 'shop' }],
    accessLog: { enabled: false },
    ...changes,
  };
}

function rewrite(changes: Partial<ConfigInput>): void {
  const text = { ...config(changes), admin: { port: Number(new URL(gateway.adminUrl).port) } };
  writeFileSync(join(directory, 'gateway.yaml'), JSON.stringify(text));
}

async function workersUp(): Promise<number> {
  const { workers } = await gateway.status();
  return workers?.filter(({ pid }) => pid !== null).length ?? 0;
}

async function metric(name: string): Promise<number> {
  const { text } = await ask(`${gateway.adminUrl}/metrics`);
  const values = text
    .split('\n')
    .flatMap((line) => (line.startsWith(`${name}{`) ? [Number(line.split(' ').at(-1))] : []));
  return values.reduce((sum, value) => sum + value, 0);
}

async function change(method: string, path: string, body: object): Promise<number> {
  const headers = { 'content-type': 'application/json' };
  return (await ask(`${gateway.adminUrl}${path}`, { method, headers, body: JSON.stringify(body) })).status;
}

async function reload(): Promise<unknown> {
  const headers = { 'content-type': 'application/json' };
  const { text } = await ask(`${gateway.adminUrl}/reload`, { method: 'POST', headers, body: '{}' });
  return JSON.parse(text);
}

test('workers share a port, are one gateway to whoever asks, and are probed for by one of them', async () => {
  for (let i = 0; i < 40; i += 1) expect((await ask(gateway.urls[0] ?? '')).text).toBe('whole');
  expect(await metric('headgate_http_requests_total')).toBe(40);
  const status = await gateway.status();
  expect(status.workers).toMatchObject([
    { number: 1, restarts: 0 },
    { number: 2, restarts: 0 },
  ]);
  expect(new Set(status.workers?.map(({ pid }) => pid)).size).toBe(2);
  expect(status.pools[0]?.endpoints).toHaveLength(1);
  // Both know of every probe, and only one sends them: what the origin has seen is what one prober has counted.
  const before = { seen: probes, counted: await metric('headgate_endpoint_checks_total') };
  await eventually(() => (probes >= before.seen + 10 ? true : null), 'ten more probes');
  const counted = (await metric('headgate_endpoint_checks_total')) - before.counted;
  expect(Math.abs(counted - (probes - before.seen))).toBeLessThanOrEqual(2);
});

test('what is set by hand reaches every worker, and the one that comes later', async () => {
  const endpoint = encodeURIComponent(`127.0.0.1:${service.port}`);
  expect(await change('POST', `/pools/shop/endpoints/${endpoint}/disable`, {})).toBe(200);
  const statuses = async (): Promise<ReadonlySet<number>> => {
    const replies = await Promise.all(Array.from({ length: 24 }, () => ask(gateway.urls[0] ?? '')));
    return new Set(replies.map(({ status }) => status));
  };
  expect(await statuses()).toEqual(new Set([503]));
  const { workers } = await gateway.status();
  process.kill(workers?.[0]?.pid ?? 0, 'SIGKILL');
  await eventually(
    async () => ((await workersUp()) === 2 && (await gateway.status()).workers?.[0]?.restarts === 1 ? true : null),
    'the worker to be back',
  );
  expect(await statuses()).toEqual(new Set([503]));
  expect(await change('POST', `/pools/shop/endpoints/${endpoint}/enable`, {})).toBe(200);
  expect(await statuses()).toEqual(new Set([200]));
});

test('a worker that is killed under load takes with it what it was doing, and nothing else; counters do not go back, and probing goes on', async () => {
  const counted = await metric('headgate_http_requests_total');
  const load = new WorkerLoad(gateway.port('http'), 16);
  await eventually(() => (load.answered > 500 ? true : null), 'the load to flow');
  const { workers } = await gateway.status();
  await metric('headgate_http_requests_total');
  // The one that probes: it has served longest.
  const killed = workers?.[1]?.pid ?? 0;
  load.kills = 1;
  process.kill(killed, 'SIGKILL');
  const atKill = load.answered;
  await eventually(() => (load.answered > atKill + 1_000 ? true : null), 'the load to go on');
  await eventually(async () => ((await gateway.status()).workers?.[1]?.restarts === 1 ? true : null), 'a restart');
  await eventually(async () => ((await workersUp()) === 2 ? true : null), 'the worker to be back');
  const seen = probes;
  await load.stop();
  // Sixteen clients have one request each at a time, and each connection belongs to one worker.
  expect(load.failed.filter(({ openedAt }) => openedAt > 0)).toEqual([]);
  expect(load.failed.length).toBeLessThanOrEqual(16);
  expect(load.failed.filter(({ failure }) => failure?.startsWith('connect'))).toEqual([]);
  expect(await metric('headgate_http_requests_total')).toBeGreaterThan(counted);
  await eventually(() => (probes > seen + 3 ? true : null), 'probes to go on');
});

test('a reload is all workers’ or nobody’s', async () => {
  const route = { name: 'fixed', respond: { status: 200, body: 'second' } };
  rewrite({ routes: [route], workers: 2 });
  expect(await change('POST', '/reload', {})).toBe(200);
  const texts = async (): Promise<ReadonlySet<string>> => {
    const replies = await Promise.all(Array.from({ length: 24 }, () => ask(gateway.urls[0] ?? '')));
    return new Set(replies.map(({ text }) => text));
  };
  expect(await texts()).toEqual(new Set(['second']));
  // The port of the service is taken: no worker takes any of it.
  expect(await metric('headgate_config_reloads_total')).toBe(1);
  const taken = { http: { address: '127.0.0.1', port: 0 }, more: { address: '127.0.0.1', port: service.port } };
  rewrite({ listeners: taken, routes: [{ ...route, respond: { status: 200, body: 'third' } }] });
  expect(await reload()).toMatchObject({
    error: 'reload-obstructed',
    message: expect.stringContaining(`${service.port}`),
  });
  expect(await metric('headgate_config_reloads_total')).toBe(2);
  expect(await texts()).toEqual(new Set(['second']));
});

test('a reload opens and closes listeners of all workers: others take their places, and nobody is refused or cut off meanwhile', async () => {
  const route = { name: 'shop', pool: 'shop' };
  rewrite({ routes: [route] });
  expect(await reload()).toMatchObject({ result: 'applied' });
  const before = await gateway.status();
  const pids = before.workers?.map(({ pid }) => pid) ?? [];
  // One of each kind: more take the processors from the workers that are to start, and show nothing else.
  const load = new WorkerLoad(gateway.port('http'), 2);
  await eventually(() => (load.answered > 200 ? true : null), 'the load to flow');
  const http = { address: '127.0.0.1', port: 0 };
  rewrite({ routes: [route], listeners: { http, more: http } });
  expect(await reload()).toMatchObject({ result: 'applied', changes: { listeners: { opened: ['more'], closed: [] } } });
  const from = load.answered;
  await eventually(() => (load.answered > from + 200 ? true : null), 'the load to go on');
  await load.stop();
  expect(load.failed).toEqual([]);
  const after = await gateway.status();
  const more = after.listeners.find(({ name }) => name === 'more')?.url ?? '';
  expect((await ask(more)).text).toBe('whole');
  expect(after.workers?.filter(({ pid, restarts }) => pids.includes(pid) || restarts > 1)).toEqual([]);
  rewrite({ routes: [route] });
  expect(await reload()).toMatchObject({ result: 'applied', changes: { listeners: { opened: [], closed: ['more'] } } });
  await expect(ask(more)).rejects.toThrow('ECONNREFUSED');
  expect((await ask(gateway.urls[0] ?? '')).text).toBe('whole');
});

test('SIGTERM ends all of them, and the exit is 0', async () => {
  expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
  await expect(ask(gateway.urls[0] ?? '')).rejects.toThrow('ECONNREFUSED');
  const expected = /A worker has ended|Not reloaded/;
  expect(gateway.complaints().filter((line) => !expected.test(line))).toEqual([]);
});
