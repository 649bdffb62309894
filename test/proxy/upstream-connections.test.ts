import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { createServer as createHttp2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { deadPort } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';

const justOnce = { without: ONE_PROTOCOL };

matrix(
  'warm connections are there before the first request, to endpoints that may get work only',
  async ({ gateway, origin }) => {
    const clock = new ManualClock();
    const [shop, drained] = [await origin(), await origin()];
    const pool = { connections: { warm: 2, connectTimeout: '0s' } };
    const front = await gateway(forwardTo([shop, drained], { pool }), { clock });
    await until(() => connections(front).every(({ open, busy }) => open === 2 && busy === 0), 'warm connections');
    front.gateway.gateway.control.drain('shop', `127.0.0.1:${drained.port}`);
    clock.advance(5_000);
    await drained.idle();
    await until(() => connections(front)[0]?.open === 2, 'those of the other one to be made anew');
    expect(connections(front)[1]).toEqual({ open: 0, busy: 0, queued: 0 });
    front.gateway.gateway.control.enable('shop', `127.0.0.1:${drained.port}`);
    clock.advance(1_000);
    await until(() => connections(front)[1]?.open === 2, 'those of the other one to be made again');
    expect((await front.send({})).status).toBe(200);
    expect((await front.gateway.nextRecord()).attempts).toBe(1);
  },
  justOnce,
);

matrix(
  'no connection is kept ready to an endpoint that fails its checks, and some are once it passes them',
  async ({ gateway }) => {
    const clock = new ManualClock();
    let status = 503;
    const shop = await served(createServer((_request, response) => void response.writeHead(status).end('ok')));
    const health = { interval: '1s', timeout: '60s', rise: 1, fall: 1, start: 'down', jitter: 0 } as const;
    const pool = { health, connections: { warm: 1, connectTimeout: '0s', keepAlive: '1h' } };
    const front = await gateway(forwardTo(shop, { pool }), { clock });
    await until(() => {
      clock.advance(20);
      return shop.requests() >= 3;
    }, 'checks');
    expect(front.gateway.gateway.status().pools[0]?.endpoints[0]?.traffic).toBe(null);
    status = 200;
    await until(() => {
      clock.advance(20);
      return connections(front)[0]?.open === 1;
    }, 'a warm connection');
  },
  justOnce,
);

matrix(
  'what becomes of connections is in the status and in the metrics',
  async ({ gateway }) => {
    const port = await deadPort();
    const shop = await served(createServer((_request, response) => response.end('ok')));
    const front = await gateway({
      pools: {
        shop: { endpoints: [`127.0.0.1:${shop.port}`] },
        same: { endpoints: [`127.0.0.1:${shop.port}`] },
        gone: { endpoints: [`127.0.0.1:${port}`] },
      },
      routes: [
        { pool: 'gone', match: { path: '/gone' } },
        { pool: 'same', match: { path: '/same' } },
        { pool: 'shop' },
      ],
    });
    await front.send({});
    await front.send({ path: '/same' });
    await front.send({ path: '/gone' });
    const [endpoint] = front.gateway.gateway.status().pools[0]?.endpoints ?? [];
    expect(endpoint?.traffic).toEqual({
      opened: 1,
      reused: 1,
      retired: 0,
      racesLost: 0,
      connectMs: expect.any(Number),
      failures: {},
    });
    const text = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
    const labels = `pool="shop",endpoint="http://127.0.0.1:${shop.port}"`;
    for (const line of [
      `headgate_endpoint_connections{${labels},state="idle"} 1`,
      `headgate_endpoint_connections{${labels},state="busy"} 0`,
      `headgate_endpoint_connections_opened_total{${labels}} 1`,
      `headgate_endpoint_connections_reused_total{${labels}} 1`,
      `headgate_endpoint_connections_retired_total{${labels}} 0`,
      `headgate_endpoint_races_lost_total{${labels}} 0`,
      `headgate_endpoint_connect_errors_total{pool="gone",endpoint="http://127.0.0.1:${port}",reason="connection-refused"} 1`,
    ])
      expect(text).toContain(line);
    expect(text).toMatch(new RegExp(`headgate_endpoint_connect_seconds_total\\{${labels}\\} 0\\.\\d+`));
    expect(text).not.toContain(`pool="same",endpoint="http://127.0.0.1:${shop.port}",state=`);
  },
  justOnce,
);

matrix(
  'limits of a pool hold for HTTP/2 endpoints: sessions, the queue, and the wait in it',
  async ({ gateway }) => {
    const clock = new ManualClock();
    const shop = await http2Origin({ settings: { maxConcurrentStreams: 1 } });
    const limits = { max: 2, queue: 1, queueTimeout: '3s', connectTimeout: '0s' };
    const front = await gateway(forwardTo(shop, { pool: { protocol: 'http2', connections: limits } }), { clock });
    const served = [await front.begin({}), await front.begin({})];
    await shop.until(() => shop.arrivals.length === 2, 'two requests');
    const waiting = await front.begin({});
    await until(() => connections(front)[0]?.queued === 1, 'one to wait');
    expect((await front.send({})).header('proxy-status')).toBe('headgate; error=connection_limit_reached');
    clock.advance(3_200);
    expect((await waiting.reply()).status).toBe(503);
    expect(shop.sessions).toHaveLength(2);
    for (const { stream } of shop.arrivals) stream.respond({ ':status': 200 }, { endStream: true });
    for (const one of served) expect((await one.reply()).status).toBe(200);
  },
  justOnce,
);

matrix('an endpoint that speaks HTTP/2 may be a Unix socket', async ({ gateway }) => {
  const directory = await mkdtemp(join(tmpdir(), 'headgate-unix-'));
  const path = join(directory, 'app.sock');
  const authorities: unknown[] = [];
  const server = createHttp2Server();
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => sockets.add(socket));
  server.on('stream', (stream: ServerHttp2Stream, headers) => {
    authorities.push(headers[':authority']);
    stream.respond({ ':status': 200 });
    stream.pipe(stream);
  });
  server.listen(path);
  await once(server, 'listening');
  stopAfterTest(async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await rm(directory, { recursive: true, force: true });
  });
  const front = await gateway(forwardTo([], { pool: { endpoints: [`unix:${path}`], protocol: 'http2' } }));
  const reply = await front.send({ method: 'POST', body: 'three pears' });
  expect([reply.status, reply.text, authorities]).toEqual([200, 'three pears', ['shop.test']]);
});

function connections(front: Front): readonly { open: number; busy: number; queued: number }[] {
  const [pool] = front.gateway.gateway.status().pools;
  return pool?.endpoints.map((endpoint) => endpoint.connections) ?? [];
}

async function served(server: ReturnType<typeof createServer>): Promise<{ port: number; requests: () => number }> {
  let requests = 0;
  server.on('request', () => {
    requests += 1;
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, requests: () => requests };
}
