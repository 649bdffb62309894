import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import { Connections, SWEEP_MS } from '../../../src/downstream/connections.ts';
import { awaitPreface } from '../../../src/downstream/http2/preface.ts';
import { until } from '../../kit/deadline.ts';
import { PREFACE, settings } from '../../kit/h2-frames.ts';
import { limits } from '../../kit/listener.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { stopAfterTest } from '../../kit/stop.ts';

interface Stage {
  readonly client: Socket;
  readonly socket: Socket;
  readonly connections: Connections;
  readonly clock: ManualClock;
  readonly decided: string[];
  readonly late: number[];
}

async function stage(): Promise<Stage> {
  const clock = new ManualClock();
  const connections = new Connections(limits, clock);
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const client = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
  client.on('error', () => {});
  const [socket] = (await once(server, 'connection')) as [Socket];
  server.close();
  socket.on('error', () => {});
  connections.admit(socket, '127.0.0.1');
  stopAfterTest(() => {
    client.destroy();
    socket.destroy();
  });
  const decided: string[] = [];
  const late: number[] = [];
  awaitPreface(socket, {
    connections,
    timeoutMs: 10_000,
    done: (protocol) => decided.push(protocol),
    late: (bytes) => late.push(bytes),
  });
  return { client, socket, connections, clock, decided, late };
}

/** Sends each piece when the one before was read. */
async function send({ client, socket }: Stage, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    const before = socket.bytesRead;
    client.write(piece);
    await until(() => socket.bytesRead === before + piece.length, 'the piece to be read');
  }
}

async function left(socket: Socket, length: number): Promise<string> {
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  await until(() => Buffer.concat(chunks).length >= length, `${length} bytes`);
  return Buffer.concat(chunks).toString('latin1');
}

const http2 = Buffer.concat([PREFACE, settings()]);

describe('RFC 9113 §3.3, §3.4: HTTP/2 by prior knowledge', () => {
  test.each([
    ['at once', [http2]],
    ['byte by byte', Array.from(http2, (byte) => Uint8Array.of(byte))],
    ['in two pieces', [http2.subarray(0, 16), http2.subarray(16)]],
    ['and not a byte behind it', [PREFACE]],
  ])('a preface that comes %s', async (_how, pieces) => {
    const on = await stage();
    await send(on, pieces);
    await until(() => on.decided.length > 0, 'a decision');
    const sent = Buffer.concat(pieces).toString('latin1');
    expect(on.decided).toEqual(['http2']);
    expect(await left(on.socket, sent.length)).toBe(sent);
  });

  test.each([
    'GET / HTTP/1.1\r\nHost: a\r\n\r\n',
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc',
    'PROPFIND / HTTP/1.1\r\nHost: a\r\n\r\n',
    'PRIME / HTTP/1.1\r\nHost: a\r\n\r\n',
    'PRI * HTTP/2.0\r\n\r\nSN\r\n\r\n',
    'PRI * HTTP/1.1\r\nHost: a\r\n\r\n',
    '\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01',
  ])('%j is for HTTP/1.x, at once and byte by byte', async (text) => {
    for (const pieces of [[Buffer.from(text)], Array.from(Buffer.from(text), (byte) => Uint8Array.of(byte))]) {
      const on = await stage();
      await send(on, pieces);
      await until(() => on.decided.length > 0, 'a decision');
      expect(on.decided).toEqual(['http1']);
      expect(await left(on.socket, text.length)).toBe(text);
    }
  });

  test('the first byte that tells is enough', async () => {
    const on = await stage();
    await send(on, [Buffer.from('G')]);
    await until(() => on.decided.length > 0, 'a decision');
    expect(on.decided).toEqual(['http1']);
  });

  test.each([
    ['', 0],
    ['PRI * HTTP/2.0\r\n', 16],
  ])('after %j and then nothing the connection is closed in time', async (text, bytes) => {
    const on = await stage();
    if (text !== '') await send(on, [Buffer.from(text)]);
    on.clock.advance(10_000);
    expect([on.late, on.socket.destroyed]).toEqual([[], false]);
    on.clock.advance(2 * SWEEP_MS);
    expect(on.late).toEqual([bytes]);
    await until(() => on.connections.size === 0, 'the connection to be gone');
  });

  test.each(['', 'PRI'])('a FIN behind "%s" ends it: there is nothing to answer', async (beginning) => {
    const on = await stage();
    on.client.end(beginning);
    await until(() => on.connections.size === 0, 'the connection to be gone');
    expect([on.decided, on.late]).toEqual([[], []]);
  });

  test('a client that resets the connection is let go of', async () => {
    const on = await stage();
    await send(on, [Buffer.from('PR')]);
    on.client.resetAndDestroy();
    await until(() => on.connections.size === 0, 'the connection to be gone');
    on.clock.advance(60_000);
    expect([on.decided, on.late]).toEqual([[], []]);
  });

  test('when the listener drains, a silent connection is closed soon', async () => {
    const on = await stage();
    const drained = on.connections.drain(60_000);
    on.clock.advance(2_000);
    await drained;
    expect([on.decided, on.late]).toEqual([[], []]);
  });
});
