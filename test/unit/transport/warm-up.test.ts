import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/exchange/attempt.ts';
import { TransportByProtocol, type TransportOptions } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, readyBody, send, transportOf } from '../../kit/attempt.ts';
import { certificateFor } from '../../kit/certificate.ts';
import { until } from '../../kit/deadline.ts';
import { http2Origin } from '../../kit/http2-origin.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { deadPort, origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const LIMITS = { connectTimeoutMs: 0, maxConnections: 64 };

describe('warm connections', () => {
  test('are made before anybody needs them, and the next requests get them', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, LIMITS);
    out.warm(to, 3);
    await until(() => idle(out, to) === 3, 'three idle connections');
    const body = readyBody('three pears');
    const heard = await Promise.all([
      send(out, attempt(to)),
      send(out, attempt(to, { method: 'POST', body })),
      send(out, attempt(to)),
    ]);
    expect(heard.map(({ status, reused }) => [status, reused])).toEqual([1, 2, 3].map(() => [200, [true]]));
    expect(server.accepted).toBe(3);
    expect((await send(out, attempt(to))).status).toBe(200);
    expect(out.traffic(to.connectionKey)).toMatchObject({ opened: 3, reused: 4 });
  });

  test('are topped up, not doubled: those under way count, busy ones do not', async () => {
    const server = await origin({ script: ['read head', 'silent'] });
    const out = transportOf();
    const to = destination(server.port, {}, LIMITS);
    out.warm(to, 2);
    out.warm(to, 2);
    await until(() => idle(out, to) === 2, 'two idle connections');
    out.warm(to, 2);
    begin(out, attempt(to));
    await server.request();
    out.warm(to, 2);
    await until(() => idle(out, to) === 2, 'two idle ones besides the busy one');
    expect(out.connections(to.connectionKey)).toEqual({ open: 3, busy: 1, queued: 0 });
  });

  test('stay within the limit of connections', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, { ...LIMITS, maxConnections: 2 });
    out.warm(to, 5);
    await until(() => idle(out, to) === 2, 'two idle connections');
    out.warm(to, 5);
    expect(out.connections(to.connectionKey).open).toBe(2);
  });

  test('are eight at a time', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, LIMITS);
    out.warm(to, 20);
    expect(out.connections(to.connectionKey).open).toBe(8);
    await until(() => idle(out, to) === 8, 'eight idle connections');
    out.warm(to, 20);
    await until(() => idle(out, to) === 16, 'sixteen');
  });

  test('go to a request that waits for a connection', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, { ...LIMITS, maxConnections: 1 });
    out.warm(to, 1);
    expect((await send(out, attempt(to))).status).toBe(200);
    expect(server.accepted).toBe(1);
  });

  test('are not tried for again at once where nobody listens, but after a second, then two', async () => {
    const clock = new ManualClock();
    const out = transportOf({ clock, random: () => 0 });
    const to = destination(await deadPort(), {}, LIMITS);
    const refusals = (): number => out.traffic(to.connectionKey)?.failures.get('connection-refused') ?? 0;
    out.warm(to, 1);
    await until(() => refusals() === 1, 'the first refusal');
    for (const [waitMs, tries] of [
      [999, 1],
      [1, 2],
      [1999, 2],
      [1, 3],
      [4000, 4],
    ] as const) {
      clock.advance(waitMs);
      out.warm(to, 1);
      await until(() => out.connections(to.connectionKey).open === 0, 'the dial to be over');
      expect(refusals()).toBe(tries);
    }
  });

  test('that were never used and are closed, or spoken to, by the endpoint are not used', async () => {
    const sockets: Socket[] = [];
    const server = createServer((socket) => {
      socket.on('error', () => {});
      sockets.push(socket);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    stopAfterTest(() => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
    const out = transportOf();
    const to = destination((server.address() as AddressInfo).port, {}, LIMITS);
    const deeds = [
      (socket: Socket) => socket.end(),
      (socket: Socket) => socket.resetAndDestroy(),
      (socket: Socket) => socket.write('HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\n\r\n'),
    ];
    for (const [i, deed] of deeds.entries()) {
      out.warm(to, 1);
      await until(() => idle(out, to) === 1 && sockets.length === i + 1, 'an idle connection');
      deed(sockets[i] as Socket);
      await until(() => out.connections(to.connectionKey).open === 0, 'it to be closed');
    }
  });

  test('that the endpoint closes in the moment of their first use do no harm before anything is written', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, LIMITS);
    for (let i = 0; i < 30; i += 1) {
      out.warm(to, 1);
      await until(() => idle(out, to) === 1, 'an idle connection');
      await server.connected(i + 1);
      server.endConnections();
      const heard = await send(out, attempt(to));
      if (heard.error !== null) expect([heard.error.retry, heard.reused]).toEqual(['if-reused', [true]]);
      else expect(heard.status).toBe(200);
      server.endConnections();
      await server.idle();
      await until(() => out.connections(to.connectionKey).open === 0, 'everything to be closed');
    }
  });

  test('over TLS have shaken hands', async () => {
    const certificate = await certificateFor(['shop.test']);
    const server = await origin({ tls: certificate });
    const out = transportOf();
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const to = destination(server.port, { tls }, LIMITS);
    out.warm(to, 1);
    await until(() => idle(out, to) === 1, 'an idle connection');
    const heard = await send(out, attempt(to));
    expect([heard.status, heard.reused, server.accepted]).toEqual([200, [true], 1]);
  });

  test('are not made for keys that are not retained, and given up by a drain', async () => {
    const server = await origin();
    const out = transportOf();
    const to = destination(server.port, {}, LIMITS);
    out.warm(to, 2);
    out.retain(new Set());
    expect(out.connections(to.connectionKey).open).toBe(0);
    out.warm(to, 2);
    expect(out.connections(to.connectionKey).open).toBe(0);
    out.retain(new Set([to.connectionKey]));
    out.warm(to, 2);
    await out.drain(1000);
    expect(out.connections(to.connectionKey).open).toBe(0);
    out.warm(to, 2);
    expect(out.connections(to.connectionKey).open).toBe(0);
  });
});

describe('a warm HTTP/2 session', () => {
  test('is one, whatever their number', async () => {
    const server = await http2Origin({
      handle: ({ stream }) => stream.respond({ ':status': 200 }, { endStream: true }),
    });
    const transport = transportFor();
    const to = destination(server.port, { protocol: 'http2' }, LIMITS);
    transport.warm(to, 4);
    transport.warm(to, 4);
    await until(() => idle(transport, to) === 1, 'an idle session');
    transport.warm(to, 4);
    expect((await send(transport, attempt(to))).status).toBe(200);
    expect(server.sessions).toHaveLength(1);
  });

  test('is not tried for again at once where nobody listens', async () => {
    const clock = new ManualClock();
    const transport = transportFor({ clock, random: () => 0 });
    const to = destination(await deadPort(), { protocol: 'http2' }, LIMITS);
    transport.warm(to, 1);
    await until(() => transport.connections(to.connectionKey).open === 0, 'the first refusal');
    transport.warm(to, 1);
    expect(transport.connections(to.connectionKey).open).toBe(0);
    clock.advance(1000);
    transport.warm(to, 1);
    expect(transport.connections(to.connectionKey).open).toBe(1);
    await until(() => transport.connections(to.connectionKey).open === 0, 'the second refusal');
  });
});

interface Connections {
  connections(key: string): { readonly open: number; readonly busy: number };
}

function idle(transport: Connections, { connectionKey }: Destination): number {
  const { open, busy } = transport.connections(connectionKey);
  return open - busy;
}

function transportFor(options: TransportOptions = {}): TransportByProtocol {
  const transport = new TransportByProtocol(options);
  stopAfterTest(() => transport.drain(0));
  return transport;
}
