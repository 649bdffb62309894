import type { ServerResponse } from 'node:http';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { ask } from './kit/client.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { KeepAliveLoad } from './kit/keep-alive-load.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually, within } from './kit/patience.ts';
import { requirePrograms } from './kit/programs.ts';
import { Spawned } from './kit/spawned.ts';
import { StreamLoad } from './kit/stream-load.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const { wrk } = requirePrograms('wrk');
const directory = temporaryDirectory();
const BODY = 'x'.repeat(1024);
/** What `drainTimeout` is in these tests: short enough to wait for, long enough for what is to end before. */
const DRAIN_TIMEOUT = '3s';

let service: LocalService;
let sockets: WebSocketServer;
let gateway: GatewayProcess;
/** Answers to /held, which are the tests' to finish. */
let held: ServerResponse[] = [];

beforeAll(async () => {
  service = await LocalService.listen((incoming, response) => {
    if (incoming.url === '/load') response.setHeader('Content-Length', BODY.length).end(BODY);
    else held.push(response);
  });
  sockets = new WebSocketServer({ server: service.server, path: '/socket' });
  sockets.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
});

afterAll(async () => {
  sockets?.close();
  await service?.close();
});

beforeEach(async () => {
  held = [];
  gateway = await GatewayProcess.start(
    {
      listeners: {
        http: { address: '127.0.0.1', port: 0 },
        https: { address: '127.0.0.1', port: 0, tls: {} },
      },
      pools: { load: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'load' }],
      drainTimeout: DRAIN_TIMEOUT,
    },
    directory,
  );
  return async () => {
    await gateway.stop();
    expect(gateway.complaints()).toEqual([]);
  };
});

function url(path: string): string {
  return `http://127.0.0.1:${gateway.port('http')}${path}`;
}

test('SIGTERM under load fails no request of 32 kept-alive connections', async () => {
  const load = new KeepAliveLoad(gateway.port('http'), 32);
  await load.reaches(5_000);
  load.ending = true;
  expect(await within(gateway.terminate(), 'the gateway to end')).toEqual({ code: 0, signal: null });
  const tally = await load.over();
  console.info(
    `${tally.answered} answered, ${tally.farewells} with Connection: close, ${tally.failures.length} failed`,
  );
  expect(tally.failures).toEqual([]);
  // Every connection was told by an answer, and found nobody listening after it.
  expect(tally).toMatchObject({ farewells: 32, refused: 32 });
});

test('SIGTERM under load fails no stream of four HTTP/2 sessions', async () => {
  const load = new StreamLoad(gateway.port('https'), gateway.authority(), { sessions: 4, streams: 8 });
  await load.reaches(2_000);
  expect(await within(gateway.terminate(), 'the gateway to end')).toEqual({ code: 0, signal: null });
  const tally = await load.over();
  console.info(`${tally.answered} answered, ${tally.refused} refused after GOAWAY, ${tally.failures.length} failed`);
  expect(tally.failures).toEqual([]);
});

test('every request of wrk that an endpoint was asked for is answered, SIGTERM in the middle or not', async () => {
  const load = new Spawned(wrk, ['-t1', '-c32', '-d4s', url('/load')], { cwd: directory });
  const { lines } = gateway.process.stdout;
  try {
    await eventually(() => (lines.length > 5_000 ? true : null), 'the load to flow');
    expect(await within(gateway.terminate(), 'the gateway to end')).toEqual({ code: 0, signal: null });
    expect(await within(load.ended, 'wrk to end')).toEqual({ code: 0, signal: null });
  } finally {
    await load.stop();
  }
  const exchanges = lines.filter((line) => line.includes('"path":"/load"'));
  expect(exchanges.filter((line) => !line.includes('"status":200') || !line.includes('"end":"complete"'))).toEqual([]);
  // wrk goes on to connect when nobody listens any more, and calls each refusal a connect, read or write error as it
  // happens to notice it: its errors say nothing. What it counts as answered does.
  expect(load.stdout.text).not.toContain('Non-2xx');
  expect(/(\d+) requests in/.exec(load.stdout.text)?.[1]).toBe(String(exchanges.length));
});

test('an answer that had begun, and one that had not, are finished; readiness fails meanwhile', async () => {
  const begun = ask(url('/held/begun'));
  await eventually(() => held[0] ?? null, 'the first request');
  held[0]?.write('first half, ');
  const waiting = ask(url('/held/waiting'), { headers: { Connection: 'keep-alive' } });
  await eventually(() => held[1] ?? null, 'the second request');
  gateway.process.signal('SIGTERM');
  await draining();
  expect((await ask(`${gateway.adminUrl}/healthz`)).status).toBe(200);
  await expect(ask(url('/load'))).rejects.toThrow('ECONNREFUSED');
  held[0]?.end('second half');
  held[1]?.end('late');
  expect(await begun).toMatchObject({ status: 200, text: 'first half, second half' });
  const reply = await waiting;
  expect(reply).toMatchObject({ status: 200, text: 'late' });
  expect(reply.headers.connection).toBe('close');
  expect(await within(gateway.process.ended, 'the gateway to end')).toEqual({ code: 0, signal: null });
});

test('a connection that is idle does not hold the end up', async () => {
  const answered = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  const outgoing = request(url('/load'), { headers: { Connection: 'keep-alive' } }, (response) => {
    response.resume();
    response.on('end', answered.resolve);
  });
  outgoing.on('socket', (socket) => socket.on('close', () => closed.resolve()));
  outgoing.end();
  await answered.promise;
  expect(await within(gateway.terminate(), 'the gateway to end')).toEqual({ code: 0, signal: null });
  await within(closed.promise, 'the idle connection to close');
});

test('a WebSocket goes on while it drains, and the end follows its close', async () => {
  const client = await openSocket();
  gateway.process.signal('SIGTERM');
  await draining();
  const echoed = new Promise<string>((resolve) => client.once('message', (data) => resolve(String(data))));
  client.send('still here');
  expect(await within(echoed, 'the echo')).toBe('still here');
  client.close(1000);
  expect(await within(gateway.process.ended, 'the gateway to end')).toEqual({ code: 0, signal: null });
});

test('what is left after drainTimeout is cut off, visibly, and the exit is still 0', async () => {
  const client = await openSocket();
  const closed = new Promise<number>((resolve) => client.once('close', resolve));
  const answer = ask(url('/held/forever'));
  answer.catch(() => {});
  await eventually(() => held[0] ?? null, 'the request');
  held[0]?.write('a beginning');
  expect(await within(gateway.terminate(), 'the gateway to end')).toEqual({ code: 0, signal: null });
  // 1006: no closing handshake.
  expect(await within(closed, 'the WebSocket to close')).toBe(1006);
  await expect(answer).rejects.toThrow(/aborted|hang up|ECONNRESET/);
});

test('a second signal ends it at once', async () => {
  const answer = ask(url('/held/forever'));
  answer.catch(() => {});
  await eventually(() => held[0] ?? null, 'the request');
  gateway.process.signal('SIGINT');
  await draining();
  gateway.process.signal('SIGINT');
  expect((await within(gateway.process.ended, 'the gateway to end', 2_000)).code).toBe(1);
  await expect(answer).rejects.toThrow();
});

async function draining(): Promise<void> {
  await eventually(async () => {
    const { status } = await ask(`${gateway.adminUrl}/readyz`);
    return status === 503 ? true : null;
  }, 'readiness to fail');
}

async function openSocket(): Promise<WebSocket> {
  const client = new WebSocket(`ws://127.0.0.1:${gateway.port('http')}/socket`);
  const opened = Promise.withResolvers<void>();
  client.once('open', () => opened.resolve());
  client.on('error', opened.reject);
  await within(opened.promise, 'the WebSocket to open');
  return client;
}
