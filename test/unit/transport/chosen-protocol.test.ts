import { once } from 'node:events';
import { constants, createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import type { TlsOptions } from 'node:tls';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/exchange/attempt.ts';
import { TransportByProtocol, type TransportOptions } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, readyBody, send } from '../../kit/attempt.ts';
import { certificateFor, type TestCertificate } from '../../kit/certificate.ts';
import { until } from '../../kit/deadline.ts';
import { http2Origin } from '../../kit/http2-origin.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

let certificate: TestCertificate;

beforeAll(async () => {
  certificate = await certificateFor(['shop.test']);
});

describe('with protocol auto', () => {
  test('an endpoint that knows HTTP/2 is spoken to in HTTP/2', async () => {
    const { port, versions } = await both();
    const transport = transportFor();
    const to = auto(port);
    const sent = await Promise.all([1, 2, 3].map(() => send(transport, attempt(to))));
    expect(sent.map(({ body }) => body)).toEqual(['2.0', '2.0', '2.0']);
    expect([versions, transport.connections(to.connectionKey).open]).toEqual([['2.0', '2.0', '2.0'], 1]);
  });

  test('one that does not, in HTTP/1.1, bodies included, and it is asked only once', async () => {
    const server = await origin({ tls: { ...certificate, ALPNProtocols: ['http/1.1'] } });
    const transport = transportFor();
    const to = auto(server.port);
    const body = readyBody('three pears');
    const first = await Promise.all([
      send(transport, attempt(to)),
      send(transport, attempt(to, { method: 'POST', body })),
    ]);
    expect(first.map(({ status }) => status)).toEqual([200, 200]);
    expect((await send(transport, attempt(to))).reused).toEqual([true]);
    expect(server.received.map(({ body }) => String(body))).toContain('three pears');
    expect(transport.connections(to.connectionKey)).toEqual({ open: 2, busy: 0, queued: 0 });
    expect(transport.traffic(to.connectionKey)).toMatchObject({ opened: 3, reused: 1 });
  });

  test('one that has nothing to choose by, in HTTP/1.1', async () => {
    const server = await origin({ tls: { ...certificate, ALPNProtocols: [] } });
    expect((await send(transportFor(), attempt(auto(server.port)))).status).toBe(200);
  });

  test('one without TLS, in HTTP/1.1', async () => {
    const server = await origin();
    const to = destination(server.port, { protocol: 'auto' });
    expect((await send(transportFor(), attempt(to))).status).toBe(200);
    expect(server.accepted).toBe(1);
  });

  test('one that has chosen HTTP/1.1 may choose anew after ten minutes', async () => {
    const clock = new ManualClock();
    const offers: string[] = [];
    const ALPNCallback = ({ protocols }: { protocols: string[] }): string => {
      offers.push(protocols.join(' '));
      return 'http/1.1';
    };
    const server = await origin({ tls: { ...certificate, ALPNProtocols: undefined, ALPNCallback } as TlsOptions });
    const transport = transportFor({ clock });
    const to = auto(server.port, { connectTimeoutMs: 0, keepAliveMs: 0 });
    for (const waitMs of [0, 599_000, 1_000]) {
      clock.advance(waitMs);
      expect((await send(transport, attempt(to))).status).toBe(200);
    }
    expect(offers).toEqual(['h2 http/1.1', 'http/1.1', 'http/1.1', 'h2 http/1.1', 'http/1.1']);
  });

  test('a certificate that is not accepted is no choice', async () => {
    const { port } = await both();
    const to = destination(port, { protocol: 'auto', tls: { serverName: 'shop.test', ca: null, insecure: false } });
    const { error } = await send(transportFor(), attempt(to));
    expect([error?.code, error?.retry]).toEqual(['tls_certificate_error', 'always']);
  });

  test('who is cancelled while it waits for the choice is sent nowhere', async () => {
    const server = await origin({ tls: { ...certificate, ALPNProtocols: ['http/1.1'] } });
    const transport = transportFor();
    const to = auto(server.port);
    const first = begin(transport, attempt(to));
    const second = begin(transport, attempt(to));
    second.inFlight.cancel();
    expect((await first.heard.over).status).toBe(200);
    expect([server.requests, second.heard.calls]).toEqual([1, []]);
  });

  test('what is under way over HTTP/1.1 can be cancelled', async () => {
    const server = await origin({
      tls: { ...certificate, ALPNProtocols: ['http/1.1'] },
      script: ['read head', 'silent'],
    });
    const transport = transportFor();
    const to = auto(server.port);
    const { heard, inFlight } = begin(transport, attempt(to));
    await server.request();
    inFlight.cancel();
    await server.idle();
    expect(heard.calls).toEqual(['sent']);
    await until(() => transport.connections(to.connectionKey).open === 0, 'everything to be closed');
  });
});

test('a reset that says HTTP/1.1 is required is followed by the same request over HTTP/1.1', async () => {
  const { port, versions } = await both('http1');
  const heard = await send(transportFor(), attempt({ ...auto(port), protocol: 'http2' }));
  expect([heard.status, heard.body, versions]).toEqual([200, '1.1', ['2.0', '1.1']]);
});

test('an endpoint that speaks HTTP/1.1 only is refused with protocol http2', async () => {
  const server = await origin({ tls: { ...certificate, ALPNProtocols: ['http/1.1'] } });
  const { error } = await send(transportFor(), attempt({ ...auto(server.port), protocol: 'http2' }));
  expect([error?.reason, error?.retry]).toEqual(['alpn-refused', 'always']);
});

test('an endpoint that speaks HTTP/2 only is refused with protocol http1', async () => {
  const server = await http2Origin({ tls: true });
  const to = destination(server.port, { tls: { serverName: 'shop.test', ca: null, insecure: true } });
  const { error } = await send(transportFor(), attempt(to));
  expect([error?.status, error?.retry]).toEqual([502, 'always']);
});

/** Answers with the version of HTTP that it was asked in, or asks for HTTP/1.1. */
async function both(wants: 'any' | 'http1' = 'any'): Promise<{ port: number; versions: string[] }> {
  const versions: string[] = [];
  const server = createSecureServer({ ...certificate, allowHTTP1: true }, (request, response) => {
    versions.push(request.httpVersion);
    if (wants === 'http1' && request.httpVersion === '2.0') request.stream.close(constants.NGHTTP2_HTTP_1_1_REQUIRED);
    else response.end(request.httpVersion);
  });
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, versions };
}

function auto(port: number, limits: Partial<Destination['limits']> = {}): Destination {
  const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
  return destination(port, { protocol: 'auto', tls, connectionKey: `https://127.0.0.1:${port} auto` }, limits);
}

function transportFor(options: TransportOptions = {}): TransportByProtocol {
  const transport = new TransportByProtocol(options);
  stopAfterTest(() => transport.drain(0));
  return transport;
}
