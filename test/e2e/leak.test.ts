import type { IncomingMessage, ServerResponse } from 'node:http';
import { type ClientHttp2Session, connect, constants } from 'node:http2';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { abortAt, STAGES } from './kit/abort.ts';
import { ask } from './kit/client.ts';
import { GatewayProcess } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually, within } from './kit/patience.ts';
import { openFiles } from './kit/process-facts.ts';
import { SeededRandom } from './kit/random.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const ABORTS = 10_000;
const AT_ONCE = 64;
const CHUNK = Buffer.alloc(16 * 1024, 'endless');

let service: LocalService;
/** Requests that the endpoint has and that have not ended for it. */
let busy = 0;
let gateway: GatewayProcess;

beforeAll(async () => {
  service = await LocalService.listen(answer);
  // Kept-alive connections that nobody uses leave soon, so that none of the gateway's is left at the end.
  service.server.keepAliveTimeout = 300;
  service.server.on('upgrade', (_request, socket) => {
    busy += 1;
    socket.on('close', () => {
      busy -= 1;
    });
    socket.on('error', () => {});
    socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: bytes\r\n\r\n');
    socket.write('x'.repeat(1000));
    // Sockets of Node's HTTP server stay half open unless somebody ends them.
    socket.on('end', () => socket.end());
    socket.resume();
  });
});

afterAll(() => service?.close());

beforeEach(async () => {
  gateway = await GatewayProcess.start(
    {
      listeners: {
        http: { address: '127.0.0.1', port: 0 },
        https: { address: '127.0.0.1', port: 0, tls: {} },
      },
      pools: { abort: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'abort' }],
    },
    directory,
  );
  return () => gateway.stop();
});

test('10 000 requests that clients abort at every stage leave nothing behind', { timeout: 120_000 }, async () => {
  const before = await filesAtRest(500);
  const random = new SeededRandom(20_261_121);
  await abortMany(ABORTS - 500, random);
  await expectNothingLeft(before);
});

test('2 000 HTTP/2 streams that clients reset at every stage leave nothing behind', { timeout: 120_000 }, async () => {
  const before = await filesAtRest(50);
  const random = new SeededRandom(20_261_122);
  for (let round = 0; round < 20; round += 1) {
    const session = connect(`https://localhost:${gateway.port('https')}`, { ca: gateway.authority() });
    session.on('error', () => {});
    await within(Promise.all(Array.from({ length: 100 }, () => resetStream(session, random))), 'streams to be reset');
    // Half of the sessions say goodbye, half just go.
    if (round % 2 === 0) session.destroy();
    else session.close();
  }
  await expectNothingLeft(before);
});

function answer(request: IncomingMessage, response: ServerResponse): void {
  busy += 1;
  response.on('close', () => {
    busy -= 1;
  });
  request.resume();
  // A client that leaves while its request is on the way is what this is about.
  request.on('error', () => {});
  if (request.url === '/fine') response.end('fine');
  else if (request.url === '/endless') sendForever(response);
}

function sendForever(response: ServerResponse): void {
  const pump = (): void => {
    while (!response.destroyed && response.write(CHUNK));
  };
  response.on('drain', pump);
  pump();
}

/** Aborts so many requests, some of each stage, a number of them at a time. */
async function abortMany(count: number, random: SeededRandom): Promise<void> {
  let left = count;
  const work = async (): Promise<void> => {
    while (left > 0) {
      left -= 1;
      await abortAt(random.pick(STAGES), gateway.port('http'), random);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, work));
}

/** Open files of the gateway once it has met every kind of request, and rests. */
async function filesAtRest(warmUp: number): Promise<number> {
  await abortMany(warmUp, new SeededRandom(1));
  await rest();
  return openFiles(gateway.pid);
}

/** Resolves when no request and no connection is left anywhere. */
async function rest(): Promise<void> {
  await eventually(async () => {
    const { listeners } = await gateway.status();
    const connections = listeners.reduce((sum, listener) => sum + listener.connections, 0);
    const inFlight = await gateway.inFlight();
    const left = { connections, inFlight, busy, atEndpoint: service.connections };
    return Object.values(left).every((count) => count === 0) ? true : null;
  }, 'the gateway and its endpoint to rest').catch(async (error: unknown) => {
    const left = JSON.stringify({ busy, atEndpoint: service.connections, status: await gateway.status() });
    throw new Error(`${String(error)}: ${left}`);
  });
}

async function expectNothingLeft(filesBefore: number): Promise<void> {
  await rest();
  // The connection that asks for the status is one of these.
  expect(openFiles(gateway.pid)).toBeLessThanOrEqual(filesBefore + 4);
  expect((await ask(`http://127.0.0.1:${gateway.port('http')}/fine`)).text).toBe('fine');
  expect(gateway.process.alive).toBe(true);
  expect(gateway.complaints()).toEqual([]);
  expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
  expect(gateway.complaints()).toEqual([]);
}

/** One stream, left before an answer, inside it, inside its own body, or not at all. */
async function resetStream(session: ClientHttp2Session, random: SeededRandom): Promise<void> {
  const path = random.pick(['/never', '/endless', '/fine', '/upload']);
  const method = path === '/upload' ? 'POST' : 'GET';
  const stream = session.request({ ':path': path, ':method': method });
  const closed = new Promise<void>((resolve) => stream.once('close', () => resolve()));
  stream.on('error', () => {});
  if (method === 'POST') stream.write(CHUNK);
  if (path === '/endless') {
    const started = new Promise<void>((resolve) => stream.once('data', () => resolve()));
    await Promise.race([started, closed]);
  }
  for (let turn = random.below(12); turn > 0; turn -= 1) await new Promise((resolve) => setImmediate(resolve));
  if (path === '/fine') stream.resume();
  else stream.close(random.pick([constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]));
  await closed;
}
