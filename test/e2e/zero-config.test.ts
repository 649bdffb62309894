import { afterAll, beforeAll, expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { deadPort } from '../kit/origin.ts';
import { ask } from './kit/client.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { within } from './kit/patience.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const FREE_PORTS = ['--port', '0', '--http-port', '0', '--admin-port', '0'];

let api: LocalService;
let site: LocalService;
let gateway: GatewayProcess;
let sleepingPort: number;

beforeAll(async () => {
  api = await LocalService.listen((request, response) => response.end(`api ${request.url}`));
  site = await LocalService.listen((request, response) => response.end(`site ${request.url} ${request.headers.host}`));
  sleepingPort = await deadPort();
  gateway = await GatewayProcess.run(
    [`/api=${api.port}`, `/stripped/=${api.port}`, `/sleeping=${sleepingPort}`, `/=${site.port}`, ...FREE_PORTS],
    directory,
  );
});

afterAll(async () => {
  await gateway?.stop();
  await api?.close();
  await site?.close();
});

function url(path: string): string {
  return `https://localhost:${gateway.port('https')}${path}`;
}

test('headgate /api=PORT /=PORT routes by prefix, on segment borders, over HTTPS', async () => {
  const ca = gateway.authority();
  expect((await ask(url('/api'), { ca })).text).toBe('api /api');
  expect((await ask(url('/api/users?x=1'), { ca })).text).toBe('api /api/users?x=1');
  expect((await ask(url('/apiary'), { ca })).text).toMatch(/^site \/apiary /);
  expect((await ask(url('/'), { ca })).text).toBe(`site / localhost:${gateway.port('https')}`);
});

test('a trailing slash strips the prefix', async () => {
  const ca = gateway.authority();
  expect((await ask(url('/stripped/users/7?x=1'), { ca })).text).toBe('api /users/7?x=1');
  expect((await ask(url('/stripped'), { ca })).text).toBe('api /');
});

test('HTTP is redirected to the HTTPS port that was found free', async () => {
  const reply = await ask(`http://localhost:${gateway.port('http')}/api/x`);
  expect(reply.status).toBe(301);
  expect(reply.headers.location).toBe(url('/api/x'));
});

test('a WebSocket through wss:// carries text and binary both ways and closes with its code', async () => {
  const sockets = new WebSocketServer({ server: site.server, path: '/socket' });
  sockets.on('connection', (socket) => {
    socket.send('welcome');
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
    socket.on('close', (code) => closed.resolve(code));
  });
  const closed = Promise.withResolvers<number>();
  const address = url('/socket').replace(/^https/, 'wss');
  const client = new WebSocket(address, { ca: gateway.authority() });
  const inbox = messagesOf(client);
  expect(String(await inbox.next())).toBe('welcome');
  client.send('hällo');
  expect(String(await inbox.next())).toBe('hällo');
  const binary = Buffer.alloc(300_000, 7);
  client.send(binary);
  expect((await inbox.next()).equals(binary)).toBe(true);
  client.close(4001, 'done');
  expect(await within(closed.promise, 'the close to arrive')).toBe(4001);
  sockets.close();
});

test('a target that does not listen gives a browser a page that says which, and works as soon as it listens', async () => {
  const ca = gateway.authority();
  const headers = { Accept: 'text/html,*/*' };
  const down = await ask(url('/sleeping/page'), { ca, headers });
  expect(down.status).toBe(502);
  expect(down.headers['content-type']).toMatch(/^text\/html/);
  expect(down.headers['proxy-status']).toContain('connection_refused');
  expect(down.text).toContain('<code>sleeping</code>');
  expect(down.text).toContain(`localhost:${sleepingPort}`);
  expect(down.text).toContain('http-equiv="refresh"');
  const awake = await LocalService.listen((_request, response) => response.end('awake'), { port: sleepingPort });
  try {
    const up = await ask(url('/sleeping/page'), { ca, headers });
    expect({ status: up.status, text: up.text }).toEqual({ status: 200, text: 'awake' });
  } finally {
    await awake.close();
  }
  expect((await ask(url('/sleeping/page'), { ca, headers })).status).toBe(502);
});

test('programs get the failure as JSON', async () => {
  const reply = await ask(url('/sleeping/data'), { ca: gateway.authority(), headers: { Accept: 'application/json' } });
  expect(reply.status).toBe(502);
  expect(JSON.parse(reply.text)).toMatchObject({ error: 'connection_refused' });
});

test('a target that listens on ::1 only is reached by its port', async ({ skip }) => {
  const service = await listenOnIpv6Loopback();
  if (service === null) return skip('this machine has no ::1');
  const other = await GatewayProcess.run([`/=${service.port}`, ...FREE_PORTS], directory);
  try {
    const reply = await ask(`https://localhost:${other.port('https')}/`, { ca: other.authority() });
    expect(reply.text).toBe('six');
  } finally {
    await other.stop();
    await service.close();
  }
});

test('nobody but this machine reaches it', async () => {
  const { listeners } = await gateway.status();
  expect(listeners.map(({ url: address }) => new URL(address).hostname)).toEqual(['127.0.0.1', '127.0.0.1']);
});

test('it did all that without a complaint of its own', () => {
  expect(gateway.complaints()).toEqual([]);
});

async function listenOnIpv6Loopback(): Promise<LocalService | null> {
  try {
    return await LocalService.listen((_request, response) => response.end('six'), { address: '::1' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRNOTAVAIL') return null;
    throw error;
  }
}

/** Messages in order of arrival. Collected from the start: the first may come with the upgrade's answer. */
function messagesOf(client: WebSocket): { next(): Promise<Buffer> } {
  const arrived: Buffer[] = [];
  let wake: (() => void) | null = null;
  client.on('message', (data) => {
    arrived.push(data as Buffer);
    wake?.();
  });
  const next = async (): Promise<Buffer> => {
    for (let first = arrived.shift(); ; first = arrived.shift()) {
      if (first !== undefined) return first;
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { next: () => within(next(), 'a WebSocket message') };
}
