import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { startTestGateway, type TestConfig, type TestGateway } from '../kit/gateway.ts';
import { GRPC_STATUS, type GrpcHealthOptions, grpcHealthServer } from '../kit/grpc-health.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { testCertificate } from '../kit/listener.ts';
import { origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

type Pool = NonNullable<TestConfig['pools']>[string];

const OFTEN = { interval: '20ms', failingInterval: '20ms', rise: 1, fall: 1 } as const;

/** Health of the first endpoint of pool `shop` and why: `up expected-status`. */
function verdictOf(gateway: TestGateway): string {
  const [endpoint] = gateway.status().pools[0]?.endpoints ?? [];
  return `${endpoint?.health} ${endpoint?.check?.last?.reason}`;
}

async function gatewayTo(address: string, pool: Partial<Pool>): Promise<TestGateway> {
  return startTestGateway(forwardTo([], { pool: { endpoints: [address], ...pool } }));
}

async function verdicts(gateway: TestGateway, verdict: string): Promise<void> {
  await until(() => verdictOf(gateway) === verdict, `${verdict}, not ${verdictOf(gateway)}`);
}

describe('a check by HTTP', () => {
  test('asks with the method and the header fields of the configuration', async () => {
    const shop = await origin();
    const health = { ...OFTEN, method: 'HEAD', headers: { 'X-Check': 'yes', 'User-Agent': 'probe/1' } } as const;
    await gatewayTo(`127.0.0.1:${shop.port}`, { health });
    const asked = await shop.request();
    expect([asked.method, asked.header('x-check'), asked.header('user-agent'), asked.header('accept')]).toEqual([
      ...['HEAD', 'yes', 'probe/1', '*/*'],
    ]);
  });

  test.each([
    [{ contains: '"db":"up"' }, '{"db":"up"}', '{"db":"down"}'],
    [{ regex: '(?i)^status:\\s+(green|yellow)$' }, 'STATUS: green', 'status: red'],
  ])('looks for %j in the body', async (body, well, ill) => {
    let text = ill;
    const server = createServer((_request, response) => response.end(text)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    stopAfterTest(() => server.close());
    const { port } = server.address() as { port: number };
    const gateway = await gatewayTo(`127.0.0.1:${port}`, { health: { ...OFTEN, body } });
    await verdicts(gateway, 'down unexpected-body');
    text = well;
    await verdicts(gateway, 'up expected-body');
  });

  test('reads no more of a body than its first 64 KiB', async () => {
    const bytes = 64 * 1024;
    const text = `${'x'.repeat(bytes - 2)}early${'x'.repeat(bytes)}`;
    const respond = [{ respond: 200, body: text }] as const;
    const [late, early] = [await origin({ script: respond }), await origin({ script: respond })];
    const missed = await gatewayTo(`127.0.0.1:${late.port}`, { health: { ...OFTEN, body: { contains: 'early' } } });
    await verdicts(missed, 'down unexpected-body');
    await late.closed();
    const found = await gatewayTo(`127.0.0.1:${early.port}`, { health: { ...OFTEN, body: { regex: '^x+ea$' } } });
    await verdicts(found, 'up expected-body');
  });

  test('goes over Unix sockets', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'headgate-health-'));
    const hosts: (string | undefined)[] = [];
    const server = createServer((request, response) => {
      hosts.push(request.headers.host);
      response.end();
    }).listen(join(directory, 'app.sock'));
    await once(server, 'listening');
    stopAfterTest(async () => {
      server.close();
      await rm(directory, { recursive: true });
    });
    const gateway = await gatewayTo(`unix:${join(directory, 'app.sock')}`, { health: { ...OFTEN, start: 'down' } });
    await verdicts(gateway, 'up expected-status');
    expect(hosts[0]).toBe('localhost');
    server.close();
    server.closeAllConnections();
    await until(() => gateway.status().pools[0]?.available === 0, 'the endpoint to be taken out');
  });

  test('goes over HTTP/2 where the pool does', async () => {
    let status = 200;
    const shop = await http2Origin({
      handle: ({ stream }) => {
        stream.respond({ ':status': status });
        stream.end('fine');
      },
    });
    const health = { ...OFTEN, start: 'down', path: '/healthz', body: { contains: 'fine' } } as const;
    const gateway = await gatewayTo(`http://127.0.0.1:${shop.port}`, { protocol: 'http2', health });
    await verdicts(gateway, 'up expected-body');
    expect([shop.arrivals[0]?.field(':path'), shop.arrivals[0]?.field(':authority')]).toEqual([
      '/healthz',
      `127.0.0.1:${shop.port}`,
    ]);
    status = 503;
    await verdicts(gateway, 'down unexpected-status');
  });

  test('verifies the endpoint as the requests of its pool do', async () => {
    const certificate = await testCertificate();
    const shop = await origin({ tls: certificate });
    const address = `https://127.0.0.1:${shop.port}`;
    await verdicts(await gatewayTo(address, { health: OFTEN }), 'down certificate-not-accepted');
    const tls = { ca: await fileOf(certificate.cert), serverName: 'shop.test' };
    await verdicts(await gatewayTo(address, { tls, health: { ...OFTEN, start: 'down' } }), 'up expected-status');
  });
});

describe('a check by gRPC', () => {
  async function gatewayWith(options: GrpcHealthOptions & { service?: string } = {}) {
    const { service = '', ...rest } = options;
    const server = await grpcHealthServer({ serving: 1 }, rest);
    const headers = { 'X-Check': 'token' };
    const health = { ...OFTEN, type: 'grpc', service, headers, start: 'down', timeout: '100ms' } as const;
    const pool = options.tls === true ? { tls: { ca: await fileOf((await testCertificate()).cert) } } : {};
    const scheme = options.tls === true ? 'https' : 'http';
    const gateway = await gatewayTo(`${scheme}://127.0.0.1:${server.port}`, { ...pool, health });
    return { server, gateway };
  }

  test.each([{ tls: false }, { tls: true }])('takes SERVING alone for health: %j', async (options) => {
    const { server, gateway } = await gatewayWith({ ...options, service: 'shop.v1.Catalog' });
    await verdicts(gateway, 'up serving');
    expect([server.asked[0], server.tokens[0]]).toEqual(['shop.v1.Catalog', 'token']);
    server.answer = { serving: 2 };
    await verdicts(gateway, 'down not-serving');
    server.answer = { serving: 0 };
    await verdicts(gateway, 'down serving-unknown');
    server.answer = { serving: 1 };
    await verdicts(gateway, 'up serving');
  });

  test('asks for the server as a whole unless a service is given', async () => {
    const { server, gateway } = await gatewayWith();
    await verdicts(gateway, 'up serving');
    expect(server.asked[0]).toBe('');
  });

  test.each([
    ['grpc-not-found', { grpcStatus: GRPC_STATUS.NOT_FOUND }],
    ['grpc-unavailable', { grpcStatus: GRPC_STATUS.UNAVAILABLE }],
    ['timeout', 'silence'],
  ] as const)('tells why the service is not healthy: %s', async (reason, answer) => {
    const { server, gateway } = await gatewayWith();
    await verdicts(gateway, 'up serving');
    server.answer = answer;
    await verdicts(gateway, `down ${reason}`);
  });

  test('takes a server without the health service for ill, and says so', async () => {
    const { gateway } = await gatewayWith({ without: true });
    await verdicts(gateway, 'down grpc-unimplemented');
  });

  test('takes what speaks HTTP/2 but no gRPC for ill', async () => {
    const shop = await http2Origin({
      handle: ({ stream }) => {
        stream.respond({ ':status': 200 });
        stream.end('hello');
      },
    });
    const gateway = await gatewayTo(`http://127.0.0.1:${shop.port}`, { health: { ...OFTEN, type: 'grpc' } });
    await verdicts(gateway, 'down no-grpc-status');
  });

  test('sees an endpoint go away and come back', async () => {
    const { server, gateway } = await gatewayWith();
    await verdicts(gateway, 'up serving');
    server.stop();
    await verdicts(gateway, 'down connection-refused');
  });
});

test('ten pools that check one origin alike send one stream of checks, and see the same', async () => {
  let checks = 0;
  let under = 0;
  let most = 0;
  let status = 200;
  const server = createServer((_request, response) => {
    checks += 1;
    under += 1;
    most = Math.max(most, under);
    setImmediate(() => {
      under -= 1;
      response.writeHead(status).end('ok');
    });
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  const { port } = server.address() as { port: number };
  const health = { ...OFTEN, body: { contains: 'ok' }, headers: { 'X-Check': '1' } };
  const pool = { endpoints: [`127.0.0.1:${port}`], health };
  const names = Array.from({ length: 10 }, (_, index) => `shop-${index}`);
  const gateway = await startTestGateway({
    listeners: { web: { port: 0 } },
    pools: Object.fromEntries(names.map((name) => [name, pool])),
    routes: names.map((name) => ({ match: { path: `/${name}` }, pool: name })),
  });
  await until(() => checks >= 5, 'checks');
  expect(most).toBe(1);
  status = 500;
  await until(() => gateway.status().pools.every(({ available }) => available === 0), 'all ten to see it');
  status = 200;
  await until(() => gateway.status().pools.every(({ available }) => available === 1), 'all ten to see it again');
});

async function fileOf(pem: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-health-'));
  stopAfterTest(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, 'ca.pem'), pem);
  return join(directory, 'ca.pem');
}
