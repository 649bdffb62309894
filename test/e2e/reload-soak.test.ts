import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import type { ReloadReport } from '../../src/control/reload.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { clientTextFrame, serverTextFrame } from '../kit/upgrade.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { within } from './kit/patience.ts';
import { openFiles, residentBytes } from './kit/process-facts.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const RELOADS = 1_000;
const ROUTES = 200;
const PAGES = ['/one', '/two', '/three'] as const;
const PER_SESSION = 50;
/** Of WebSockets over each protocol. */
const HALF = 250;
/** What the heap may have grown by between two collections that nobody asked for. */
const SLACK_BYTES = 64 * 1024 ** 2;

test('500 WebSockets and steady load notice nothing of 1 000 reloads that edit another route', {
  timeout: 240_000,
}, async () => {
  const service = await echoService();
  const gateway = await GatewayProcess.start(site(service.port, 0), directory);
  stopAfterTest(() => gateway.stop());
  const sockets = [...(await manyOverHttp1(gateway)), ...(await manyOverHttp2(gateway))];
  const load = new Load(gateway.port('http'));
  load.start();
  await reload(gateway, { port: service.port, from: 1, to: 100 });
  const before = { bytes: residentBytes(gateway.pid), files: openFiles(gateway.pid) };
  await reload(gateway, { port: service.port, from: 101, to: RELOADS });
  const files = openFiles(gateway.pid);
  const grownBytes = residentBytes(gateway.pid) - before.bytes;
  await load.stop();
  await within(Promise.all(sockets.map((socket, i) => socket.echo(`after all ${i}`))), 'all WebSockets to answer');
  expect(sockets.filter(({ isOpen }) => isOpen)).toHaveLength(2 * HALF);
  expect(load.errors).toEqual([]);
  expect(load.answers).toBeGreaterThan(RELOADS);
  // Idle connections to the endpoint come and go.
  expect(files).toBeLessThanOrEqual(before.files + 8);
  expect(grownBytes).toBeLessThan(SLACK_BYTES);
  expect(gateway.complaints()).toEqual([]);
});

interface OpenSocket {
  echo(text: string): Promise<void>;
  readonly isOpen: boolean;
}

async function echoService(): Promise<LocalService> {
  const service = await LocalService.listen((request, response) => response.end(`page ${request.url}`));
  const server = new WebSocketServer({ server: service.server, perMessageDeflate: false });
  server.on('connection', (socket) => socket.on('message', (message) => socket.send(String(message))));
  stopAfterTest(() => service.close());
  return service;
}

function site(port: number, edit: number): ConfigInput {
  const limits = { connectionsPerAddress: 1_000 };
  const others = Array.from({ length: ROUTES }, (_, i) => ({
    name: `other-${i}`,
    match: { path: `/other/${i}/**` },
    pool: 'shop',
  }));
  return {
    listeners: {
      http: { address: '127.0.0.1', port: 0, limits },
      https: { address: '127.0.0.1', port: 0, tls: {}, limits },
    },
    pools: { shop: { endpoints: [`127.0.0.1:${port}`] } },
    routes: [
      { name: 'live', match: { path: '/live' }, pool: 'shop' },
      ...PAGES.map((path) => ({ name: path.slice(1), match: { path }, pool: 'shop' })),
      { name: 'edited', match: { path: '/edited' }, respond: { status: 200, body: `edit ${edit}` } },
      ...others,
    ],
    admin: { port: 0, requestsPerSecond: 10_000 },
    reload: { watch: false },
    log: { level: 'warn' },
    accessLog: { enabled: false },
  };
}

async function reload(
  gateway: GatewayProcess,
  { port, from, to }: { readonly port: number; readonly from: number; readonly to: number },
): Promise<void> {
  for (let edit = from; edit <= to; edit += 1) {
    writeFileSync(join(directory, 'gateway.yaml'), JSON.stringify(site(port, edit)));
    const reply = await fetch(`${gateway.adminUrl}/reload`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{}',
    });
    const report = (await reply.json()) as ReloadReport;
    expect(report).toMatchObject({ result: 'applied', changes: { routes: { changed: 1 }, needsRestart: [] } });
    if (edit % 100 === 0) expect(await textAt(gateway.port('http'), '/edited')).toBe(`edit ${edit}`);
  }
}

async function manyOverHttp1(gateway: GatewayProcess): Promise<readonly OpenSocket[]> {
  const ca = gateway.authority();
  const all: OpenSocket[] = [];
  for (let i = 0; i < HALF; i += 1) {
    const socket = new WebSocket(`wss://localhost:${gateway.port('https')}/live`, { ca, perMessageDeflate: false });
    stopAfterTest(() => socket.terminate());
    await within(once(socket, 'open'), 'a WebSocket to open');
    all.push({
      echo: async (text) => {
        const back = once(socket, 'message');
        socket.send(text);
        expect(String((await back)[0])).toBe(text);
      },
      get isOpen() {
        return socket.readyState === WebSocket.OPEN;
      },
    });
  }
  return all;
}

async function manyOverHttp2(gateway: GatewayProcess): Promise<readonly OpenSocket[]> {
  const all: OpenSocket[] = [];
  for (let i = 0; i < HALF / PER_SESSION; i += 1) {
    const session = connect(`https://localhost:${gateway.port('https')}`, { ca: gateway.authority() });
    stopAfterTest(() => session.destroy());
    await within(once(session, 'remoteSettings'), 'a session');
    for (let k = 0; k < PER_SESSION; k += 1) all.push(await overHttp2(session));
  }
  return all;
}

async function overHttp2(session: ClientHttp2Session): Promise<OpenSocket> {
  const head = { ':method': 'CONNECT', ':protocol': 'websocket', ':path': '/live', 'sec-websocket-version': '13' };
  const stream: ClientHttp2Stream = session.request(head);
  let isOpen = true;
  for (const event of ['end', 'close', 'error']) {
    stream.on(event, () => {
      isOpen = false;
    });
  }
  const [headers] = await within(once(stream, 'response'), 'a WebSocket over HTTP/2');
  expect(headers[':status']).toBe(200);
  return {
    echo: async (text) => {
      const back = once(stream, 'data');
      stream.write(clientTextFrame(text));
      expect((await back)[0]).toEqual(serverTextFrame(text));
    },
    get isOpen() {
      return isOpen;
    },
  };
}

/** Requests for every page, one after the other on each of some connections, until it is told to stop. */
class Load {
  answers = 0;
  readonly errors: string[] = [];
  readonly #port: number;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: PAGES.length });
  #running = true;
  #work: Promise<unknown> = Promise.resolve();

  constructor(port: number) {
    this.#port = port;
  }

  start(): void {
    this.#work = Promise.all(PAGES.map((page) => this.#ask(page)));
  }

  async stop(): Promise<void> {
    this.#running = false;
    await this.#work;
    this.#agent.destroy();
  }

  async #ask(page: string): Promise<void> {
    while (this.#running) {
      try {
        const text = await textAt(this.#port, page, this.#agent);
        if (text !== `page ${page}`) this.errors.push(text);
      } catch (error) {
        this.errors.push(String(error));
      }
      this.answers += 1;
      // The reloads shall have their share of the machine.
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  }
}

function textAt(port: number, path: string, agent?: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path, ...(agent === undefined ? {} : { agent }) }, (response) => {
      let text = `${response.statusCode === 200 ? '' : `${response.statusCode} `}`;
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
      response.on('error', reject);
    }).on('error', reject);
  });
}
