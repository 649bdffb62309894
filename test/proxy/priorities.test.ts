import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

const HEALTH = { interval: '20ms', rise: 1, fall: 1, path: '/health' };

matrix('traffic goes to the next priority when the first is down, and comes back with it', async ({ gateway }) => {
  const shops = [await shop('one'), await shop('two'), await shop('backup')] as const;
  const front = await gateway(
    forwardTo(shops, { pool: { ...poolOf(shops, [0, 0, 1]), priorities: { healthy: '0%' } } }),
  );
  expect(await names(front, 6)).toEqual(new Set(['one', 'two']));
  shops[0].healthy = false;
  await health(front, ['down', 'up', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['two']));
  shops[1].healthy = false;
  await health(front, ['down', 'down', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['backup']));
  shops[0].healthy = true;
  await health(front, ['up', 'down', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['one']));
});

matrix(
  'traffic spills over gradually, and status and metrics tell the shares',
  async ({ gateway }) => {
    const shops = [await shop('one'), await shop('two'), await shop('three')] as const;
    const front = await gateway(forwardTo(shops, { pool: poolOf(shops, [0, 0, 1]) }));
    shops[0].healthy = false;
    await health(front, ['down', 'up', 'up']);
    expect(front.gateway.status().pools[0]).toMatchObject({
      panicking: false,
      priorities: [
        { priority: 0, inService: 2, healthy: 1, share: expect.closeTo(5 / 7, 9) },
        { priority: 1, inService: 1, healthy: 1, share: expect.closeTo(2 / 7, 9) },
      ],
    });
    // That one of them gets none of a hundred happens once in 10^14 times.
    expect(await names(front, 100)).toEqual(new Set(['two', 'three']));
    expect(await metricsOf(front)).toMatch(/^headgate_pool_priority_share{pool="shop",priority="1"} 0\.2857/m);
  },
  { without: ONE_PROTOCOL },
);

matrix('a priority whose endpoints refuse the connection leaves the request to the next', async ({ gateway }) => {
  const shops = [await shop('one'), await shop('backup')] as const;
  const { endpoints } = poolOf(shops, [0, 1]);
  const front = await gateway(forwardTo(shops, { pool: { endpoints } }));
  await shops[0].stop();
  expect(await names(front, 3)).toEqual(new Set(['backup']));
});

matrix('in panic the endpoints get traffic whatever their checks say', async ({ gateway }) => {
  const shops = [await shop('one'), await shop('two'), await shop('three')] as const;
  const front = await gateway(forwardTo(shops, { pool: { health: HEALTH, panic: '50%' } }));
  shops[0].healthy = false;
  await health(front, ['down', 'up', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['two', 'three']));
  shops[1].healthy = false;
  await health(front, ['down', 'down', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['one', 'two', 'three']));
  expect(front.gateway.status().pools[0]).toMatchObject({ panicking: true, available: 3 });
  expect(await metricsOf(front)).toContain('headgate_pool_panic{pool="shop"} 1');
  shops[0].healthy = true;
  await health(front, ['up', 'down', 'up']);
  expect(await names(front, 6)).toEqual(new Set(['one', 'three']));
  expect(await metricsOf(front)).toContain('headgate_pool_panic{pool="shop"} 0');
});

matrix(
  'without a threshold a pool never panics: nobody healthy is 503',
  async ({ gateway }) => {
    const shops = [await shop('one'), await shop('two')] as const;
    const front = await gateway(forwardTo(shops, { pool: { health: HEALTH } }));
    for (const each of shops) each.healthy = false;
    await health(front, ['down', 'down']);
    expect((await front.send({})).status).toBe(503);
  },
  { without: ONE_PROTOCOL },
);

interface Shop {
  healthy: boolean;
  readonly port: number;
  readonly stop: () => Promise<void>;
}

/** Answers its checks as `healthy` says, and all else with its name. */
async function shop(name: string): Promise<Shop> {
  const server = createServer((request, response) => {
    if (request.url === '/health') response.writeHead(started.healthy ? 200 : 503).end();
    else response.end(name);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  const started = { healthy: true, port: (server.address() as AddressInfo).port, stop };
  stopAfterTest(stop);
  return started;
}

function poolOf(shops: readonly Shop[], priorities: readonly number[]) {
  const endpoints = shops.map(({ port }, index) => ({
    address: `127.0.0.1:${port}`,
    priority: priorities[index] ?? 0,
  }));
  return { endpoints, health: HEALTH };
}

/** Names of the endpoints that so many requests went to. */
async function names(front: Front, requests: number): Promise<ReadonlySet<string>> {
  const connection = await front.connect();
  const all = new Set<string>();
  for (let i = 0; i < requests; i += 1) all.add((await connection.send({})).text);
  connection.close();
  return all;
}

function health(front: Front, expected: readonly ('up' | 'down')[]): Promise<void> {
  const known = () => front.gateway.status().pools[0]?.endpoints.map((endpoint) => endpoint.health) ?? [];
  return until(() => known().join() === expected.join(), `the endpoints to be ${expected.join()}`);
}

async function metricsOf(front: Front): Promise<string> {
  return (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
}
