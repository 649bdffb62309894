import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { originsAtOnePort, troubleOf, untilHosts, visit } from '../kit/discovery.ts';
import { type Container, type Docker, docker } from '../kit/docker.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { hastyClock } from '../kit/hasty-clock.ts';
import { type Origin, origin } from '../kit/origin.ts';

const LABELS = { 'headgate.pool': 'shop' };

function web(host: string, port: number, more: Partial<Container> = {}): Container {
  return { name: `web-${host}`, labels: LABELS, addresses: { shop_default: host }, ports: [port], ...more };
}

function start(engine: Docker, more: object = {}): Promise<TestGateway> {
  const config: TestConfig = {
    pools: { shop: { discover: { docker: { socket: engine.socket, ...more } } } },
    routes: [{ name: 'all', pool: 'shop' }],
  };
  return startTestGateway(config, { clock: hastyClock() });
}

test('containers with the label of the pool are its endpoints; those that start and stop come and go', async () => {
  const [first, second] = (await originsAtOnePort(2)) as [Origin, Origin];
  const engine = await docker([
    web('127.0.0.2', first.port),
    web('127.0.0.9', first.port, { labels: { 'headgate.pool': 'other' } }),
    web('127.0.0.8', first.port, { state: 'paused' }),
  ]);
  const gateway = await start(engine);
  await untilHosts(gateway, ['127.0.0.2']);
  expect((await visit(gateway)).status).toBe(200);
  await engine.heard();
  engine.start(web('127.0.0.3', second.port));
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
  for (let i = 0; i < 2; i += 1) await visit(gateway);
  expect(second.requests).toBe(1);
  engine.stop('web-127.0.0.2');
  await untilHosts(gateway, ['127.0.0.3']);
  engine.stop('web-127.0.0.3');
  await untilHosts(gateway, []);
  const refused = await visit(gateway);
  expect([refused.status, refused.header('proxy-status')]).toEqual([503, 'headgate; error=destination_unavailable']);
  expect(gateway.records.at(-1)?.end.reason).toBe('no-endpoint-known');
});

test('nothing but GET is ever sent to Docker', async () => {
  const engine = await docker([web('127.0.0.2', 80)]);
  const gateway = await start(engine);
  await engine.heard();
  engine.become('web-127.0.0.2', 'unhealthy');
  await untilHosts(gateway, []);
  expect(new Set(engine.requests)).toEqual(new Set(['GET /containers/json', 'GET /events']));
});

test('a container that is unhealthy or starting by its own check is left out until it is healthy', async () => {
  const engine = await docker([
    web('127.0.0.2', 80, { health: 'starting' }),
    web('127.0.0.3', 80, { health: 'healthy' }),
  ]);
  const gateway = await start(engine);
  await untilHosts(gateway, ['127.0.0.3']);
  expect(gateway.status().pools[0]?.discovery[0]?.leftOut).toEqual([{ what: 'web-127.0.0.2', reason: 'starting' }]);
  await engine.heard();
  engine.become('web-127.0.0.2', 'healthy');
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
  engine.become('web-127.0.0.3', 'unhealthy');
  await untilHosts(gateway, ['127.0.0.2']);
});

test('the port is that of the container’s label, of the configuration, or the lowest exposed one', async () => {
  const engine = await docker([
    web('127.0.0.2', 80, { labels: { ...LABELS, 'headgate.port': '8001' } }),
    web('127.0.0.3', 80, { ports: [9000, 3000] }),
    web('127.0.0.4', 80, { ports: [] }),
  ]);
  const exposed = await start(engine);
  await until(() => exposed.status().pools[0]?.endpoints.length === 2, 'two endpoints');
  expect(exposed.status().pools[0]?.endpoints.map(({ origin: at }) => at)).toEqual([
    'http://127.0.0.2:8001',
    'http://127.0.0.3:3000',
  ]);
  expect(exposed.status().pools[0]?.discovery[0]?.leftOut).toEqual([{ what: 'web-127.0.0.4', reason: 'no-port' }]);
  const configured = await start(engine, { port: 5000 });
  await until(() => configured.status().pools[0]?.endpoints.length === 3, 'three endpoints');
  expect(configured.status().pools[0]?.endpoints.map(({ origin: at }) => at)).toEqual([
    'http://127.0.0.2:8001',
    'http://127.0.0.3:5000',
    'http://127.0.0.4:5000',
  ]);
});

test('of several networks the one that is asked for is used', async () => {
  const addresses = { back: '127.0.0.2', front: '127.0.0.3' };
  const engine = await docker([web('any', 80, { addresses })]);
  await untilHosts(await start(engine), ['127.0.0.2']);
  await untilHosts(await start(engine, { network: 'front' }), ['127.0.0.3']);
  const lost = await start(engine, { network: 'none' });
  await until(() => lost.status().pools[0]?.discovery[0]?.leftOut.length === 1, 'the container to be left out');
  expect(lost.status().pools[0]?.discovery[0]?.leftOut).toEqual([{ what: 'web-any', reason: 'no-address' }]);
});

test('another label can be asked for, and weights come from the containers', async () => {
  const engine = await docker([
    web('127.0.0.2', 80, { labels: { 'com.example.app': 'shop', 'headgate.weight': '7' } }),
  ]);
  const gateway = await start(engine, { label: 'com.example.app=shop' });
  await untilHosts(gateway, ['127.0.0.2']);
  expect(gateway.status().pools[0]?.endpoints).toMatchObject([{ weight: 7 }]);
});

test('while Docker is away the last containers stay in use, and it is heard again when it is back', async () => {
  const [shop] = (await originsAtOnePort(1)) as [Origin];
  const engine = await docker([web('127.0.0.2', shop.port)]);
  const gateway = await start(engine);
  await untilHosts(gateway, ['127.0.0.2']);
  await engine.heard();
  await engine.close();
  await until(() => troubleOf(gateway) !== null, 'the loss to be noticed');
  expect((await visit(gateway)).status).toBe(200);
  await engine.listen();
  await until(() => troubleOf(gateway) === null, 'Docker to be back');
  await engine.heard();
  engine.start(web('127.0.0.3', shop.port));
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
});

test('however often containers change, one stream of events is listened to', async () => {
  const engine = await docker([web('127.0.0.2', 80)]);
  const gateway = await start(engine);
  await untilHosts(gateway, ['127.0.0.2']);
  await engine.heard();
  for (const host of ['127.0.0.3', '127.0.0.4', '127.0.0.5']) {
    engine.start(web(host, 80));
    await until(
      () => gateway.status().pools[0]?.endpoints.length === Number(host.slice(-1)) - 1,
      `${host} to be found`,
    );
  }
  expect(engine.requests.filter((request) => request === 'GET /events')).toHaveLength(1);
});

test('an engine that is not there keeps nothing from starting', async () => {
  const engine = await docker();
  await engine.close();
  const gateway = await start(engine);
  expect(troubleOf(gateway)).toBe('connect-failed');
  expect(gateway.status().pools[0]?.discovery[0]?.detail).toBe('docker headgate.pool=shop: ENOENT');
  expect((await visit(gateway)).status).toBe(503);
});

test('answers that are no list of containers change nothing', async () => {
  const engine = await docker([web('127.0.0.2', 80)]);
  const gateway = await start(engine);
  await untilHosts(gateway, ['127.0.0.2']);
  await engine.heard();
  for (const [status, body, reason] of [
    [500, '{"message":"boom"}', 'unexpected-status'],
    [200, '<html>', 'malformed-answer'],
    [200, '{"message":"no list"}', 'malformed-answer'],
    [200, `"${'x'.repeat(9 * 1024 ** 2)}"`, 'answer-too-large'],
  ] as const) {
    engine.broken = { status, body };
    engine.start(web('127.0.0.3', 80));
    await until(() => troubleOf(gateway) === reason, `the reason ${reason}`);
    await untilHosts(gateway, ['127.0.0.2']);
  }
  engine.broken = null;
  engine.start(web('127.0.0.3', 80));
  await untilHosts(gateway, ['127.0.0.2', '127.0.0.3']);
});

test('a proxy to Docker is asked over TCP', async () => {
  const list = JSON.stringify([
    { Names: ['/web'], Labels: {}, NetworkSettings: { Networks: { a: { IPAddress: '127.0.0.2' } } } },
  ]);
  const proxy = await origin({
    script: [
      'read head',
      { send: `HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${list.length}\r\n\r\n${list}` },
      'end',
    ],
  });
  const gateway = await startTestGateway({
    pools: { shop: { discover: { docker: { socket: `http://127.0.0.1:${proxy.port}`, port: 3000 } } } },
    routes: [],
  });
  await untilHosts(gateway, ['127.0.0.2']);
});
