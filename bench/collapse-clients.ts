import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';

/**
 * An origin with one large object, and clients that all want it at once: node collapse-clients.ts ORIGIN_PORT PROXY_PORT CLIENTS BYTES.
 * Prints what came of it as JSON. One process, so that all times are of one clock.
 */
const [originPort = 0, proxyPort = 0, clients = 0, objectBytes = 0] = process.argv.slice(2).map(Number);

/** Small objects first, as many clients each: V8 has compiled by then what is hot. */
const WARM_UPS = 4;
const WARM_UP_BYTES = 32 * 1024;

/** Until its head, so that all clients have asked by then. */
const HEAD_MS = 1_000;
/** What comes with the head, and how long the rest takes: long enough to tell who gets what while it arrives. */
const FIRST_BYTES = 16 * 1024;
const REST_MS = 1_000;

let requests = 0;
const origin = createServer(({ url }, response) => {
  const bytes = url === '/object' ? objectBytes : WARM_UP_BYTES;
  requests += 1;
  setTimeout(() => {
    response.writeHead(200, { 'Cache-Control': 'max-age=600', 'Content-Length': bytes });
    response.write(Buffer.alloc(FIRST_BYTES, 'x'));
    setTimeout(() => response.end(Buffer.alloc(bytes - FIRST_BYTES, 'x')), REST_MS);
  }, HEAD_MS);
});

/** Resolves with when its first byte came, in milliseconds; rejects when it does not get all of the body. */
class Client {
  readonly #socket: Socket;
  readonly #buffer: Buffer;
  #firstAt = 0;
  #got = 0;
  readonly done = Promise.withResolvers<number>();
  readonly #wanted: number;

  constructor(socket: Socket, buffer: Buffer, wanted: number) {
    this.#socket = socket;
    this.#buffer = buffer;
    this.#wanted = wanted;
  }

  ask(path: string): void {
    this.#socket.write(`GET ${path} HTTP/1.1\r\nHost: shop.test\r\n\r\n`);
  }

  read(count: number): boolean {
    if (this.#firstAt === 0) {
      this.#firstAt = performance.now();
      this.#got = -(this.#buffer.indexOf('\r\n\r\n') + 4);
    }
    this.#got += count;
    if (this.#got >= this.#wanted) {
      this.done.resolve(this.#firstAt);
      this.#socket.destroy();
    }
    return true;
  }

  closed(): void {
    this.done.reject(new Error(`Got ${this.#got} of ${this.#wanted} bytes`));
  }
}

/** One buffer for all: what is in it is only counted. */
const shared = Buffer.alloc(256 * 1024);

function client(wanted: number): Promise<Client> {
  const connected = Promise.withResolvers<Client>();
  let made: Client | null = null;
  const onread = { buffer: shared, callback: (count: number) => made?.read(count) ?? true };
  const socket = connect({ port: proxyPort, host: '127.0.0.1', onread }, () => connected.resolve(made as Client));
  made = new Client(socket, shared, wanted);
  socket.on('error', connected.reject);
  socket.on('close', () => made?.closed());
  return connected.promise;
}

await new Promise<void>((resolve) => origin.listen(originPort, '127.0.0.1', resolve));
process.send?.('listening');
await new Promise((resolve) => process.once('message', resolve));
for (let i = 0; i < WARM_UPS; i += 1) await round(`/warm-up-${i}`, WARM_UP_BYTES);
process.send?.('warm');
await new Promise((resolve) => process.once('message', resolve));
process.send?.(await round('/object', objectBytes));
process.disconnect?.();
origin.close();
origin.closeAllConnections();

async function round(path: string, bytes: number): Promise<object> {
  requests = 0;
  const all: Client[] = [];
  for (let i = 0; i < clients; i += 1) all.push(await client(bytes));
  const askedAt = performance.now();
  for (const each of all) each.ask(path);
  const outcomes = await Promise.allSettled(all.map(({ done }) => done.promise));
  const firsts = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return {
    requests,
    served: firsts.length,
    firstMs: Math.min(...firsts) - askedAt,
    lastMs: Math.max(...firsts) - askedAt,
    totalMs: performance.now() - askedAt,
  };
}
