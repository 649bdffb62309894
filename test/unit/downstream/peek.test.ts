import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { Connections, SWEEP_MS } from '../../../src/downstream/connections.ts';
import { PEEK_BYTES, type Peeked, peek } from '../../../src/downstream/peek.ts';
import { helloBytes } from '../../kit/client-hello.ts';
import { inTime, until } from '../../kit/deadline.ts';
import { limits } from '../../kit/listener.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const HELLO = { kind: 'hello', serverName: 'shop.example', alpn: [] };

interface Stage {
  readonly client: Socket;
  readonly socket: Socket;
  readonly connections: Connections;
  readonly clock: ManualClock;
  /** What the first look sees, once it does. */
  readonly seen: () => Promise<Peeked>;
  readonly calls: Peeked[];
}

/** A connection that is being peeked at from its first byte on. */
async function stage(timeoutMs = 10_000): Promise<Stage> {
  const clock = new ManualClock();
  const connections = new Connections(limits, clock);
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: (server.address() as AddressInfo).port, host: '127.0.0.1', noDelay: true });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  socket.on('error', () => {});
  connections.admit(socket, '127.0.0.1');
  const calls: Peeked[] = [];
  const { promise, resolve } = Promise.withResolvers<Peeked>();
  peek(socket, { connections, timeoutMs }, (seen) => {
    calls.push(seen);
    resolve(seen);
  });
  stopAfterTest(() => {
    client.destroy();
    socket.destroy();
  });
  return { client, socket, connections, clock, seen: () => inTime(promise, 'the peek'), calls };
}

async function contentOf(socket: Socket, length: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => Buffer.concat(chunks).length >= length, `${length} bytes`);
  return Buffer.concat(chunks);
}

test('the bytes that were looked at are given back', async () => {
  const { client, socket, seen } = await stage();
  const hello = helloBytes();
  client.write(hello);
  expect(await seen()).toEqual(HELLO);
  client.write('more');
  expect(await contentOf(socket, hello.length + 4)).toEqual(Buffer.concat([hello, Buffer.from('more')]));
});

test('a hello that comes byte by byte is read to its end', async () => {
  const { client, socket, seen, calls } = await stage();
  const hello = helloBytes({}, 40);
  for (const byte of hello) {
    expect(calls).toEqual([]);
    const before = socket.bytesRead;
    client.write(Uint8Array.of(byte));
    await until(() => socket.bytesRead > before, 'a byte');
  }
  expect(await seen()).toEqual(HELLO);
  expect(await contentOf(socket, hello.length)).toEqual(hello);
});

test('the first byte of another protocol is enough, and the end behind it is kept', async () => {
  const { client, socket, seen } = await stage();
  client.end('SSH');
  expect(await seen()).toEqual({ kind: 'not-tls' });
  const ended = once(socket, 'end');
  expect((await contentOf(socket, 3)).toString()).toBe('SSH');
  await inTime(ended, 'the end');
});

test('an end right behind a whole hello is kept', async () => {
  const { client, socket, seen } = await stage();
  const hello = helloBytes();
  client.end(hello);
  expect(await seen()).toEqual(HELLO);
  const ended = once(socket, 'end');
  expect(await contentOf(socket, hello.length)).toEqual(hello);
  await inTime(ended, 'the end');
});

test('what a second look sees is what the first one saw', async () => {
  const { client, socket, connections, seen } = await stage();
  const again = Promise.withResolvers<Peeked>();
  const first = seen().then(() => {});
  const hello = helloBytes();
  client.write(hello);
  await first;
  peek(socket, { connections, timeoutMs: 0 }, again.resolve);
  expect(await inTime(again.promise, 'the second peek')).toEqual(HELLO);
  expect(await contentOf(socket, hello.length)).toEqual(hello);
});

test('a second look may begin within the call of the first', async () => {
  const clock = new ManualClock();
  const connections = new Connections(limits, clock);
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  stopAfterTest(() => {
    client.destroy();
    socket.destroy();
  });
  const twice = Promise.withResolvers<Peeked>();
  const options = { connections, timeoutMs: 0 };
  peek(socket, options, () => peek(socket, options, twice.resolve));
  client.write(helloBytes());
  expect(await inTime(twice.promise, 'the second peek')).toEqual(HELLO);
});

test('a hello without an end is given up at the bound', async () => {
  const { client, seen } = await stage();
  client.write(helloBytes({ extensions: [[51, new Uint8Array(PEEK_BYTES)]] }));
  expect(await seen()).toEqual({ kind: 'too-large' });
});

test('a hello that is not through in time is given up, however steadily it drips', async () => {
  const { client, socket, clock, seen, calls } = await stage(10_000);
  const hello = helloBytes();
  for (let at = 0; at < 20; at += 1) {
    const before = socket.bytesRead;
    client.write(hello.subarray(at, at + 1));
    await until(() => socket.bytesRead > before, 'a byte');
    clock.advance(500);
    expect(calls).toEqual([]);
  }
  clock.advance(2 * SWEEP_MS);
  expect(await seen()).toEqual({ kind: 'too-late' });
});

test('a client that says nothing is given up in time', async () => {
  const { clock, seen } = await stage(1_000);
  clock.advance(1_000 + 2 * SWEEP_MS);
  expect(await seen()).toEqual({ kind: 'too-late' });
});

test.each([
  ['a reset', (client: Socket) => client.resetAndDestroy()],
  ['an end', (client: Socket) => client.end()],
])('a client that goes before, with %s, is let go of without a word', async (_, leave) => {
  const { client, connections, clock, calls } = await stage();
  client.write(helloBytes().subarray(0, 50), () => leave(client));
  await until(() => connections.size === 0, 'the connection to be released');
  clock.advance(60_000);
  expect(calls).toEqual([]);
  expect(clock.pending).toBe(0);
});

test('a listener that drains waits for no hello', async () => {
  const { connections, calls } = await stage();
  await inTime(connections.drain(60_000), 'the drain to end');
  expect(calls).toEqual([]);
});

test('a thousand peeks on one connection leave no listener behind', async () => {
  const { client, socket, connections, seen } = await stage();
  client.write(helloBytes());
  await seen();
  const before = socket.eventNames().map((name) => [name, socket.listenerCount(name)]);
  for (let i = 0; i < 1_000; i += 1) {
    const { promise, resolve } = Promise.withResolvers<Peeked>();
    peek(socket, { connections, timeoutMs: 0 }, resolve);
    await promise;
  }
  expect(socket.eventNames().map((name) => [name, socket.listenerCount(name)])).toEqual(before);
});
