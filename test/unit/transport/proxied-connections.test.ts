import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { createServer as createTlsServer } from 'node:tls';
import { describe, expect, test } from 'vitest';
import type { Destination } from '../../../src/exchange/attempt.ts';
import type { Client } from '../../../src/exchange/exchange.ts';
import { attempt, begin, destination, send, transportOf } from '../../kit/attempt.ts';
import { certificateFor } from '../../kit/certificate.ts';
import { origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

function client(last: number): Client {
  const address = `192.0.2.${last}`;
  const ends = { address, peer: address, peerPort: 5000 + last, localAddress: '198.51.100.1', localPort: 443 };
  return { ...ends, trusted: false, forwardedBy: 'forwarded', tls: null };
}

function lineOf(last: number): string {
  return `PROXY TCP4 192.0.2.${last} 198.51.100.1 ${5000 + last} 443`;
}

function proxied(port: number, limits: Partial<Destination['limits']> = {}): Destination {
  return destination(port, { proxyProtocol: 'v1' }, limits);
}

describe('connections that begin with a PROXY header', () => {
  test('say it once, and serve the same client again', async () => {
    const server = await origin();
    const out = transportOf();
    const to = proxied(server.port);
    expect((await send(out, attempt(to, { client: client(7) }))).status).toBe(200);
    expect((await send(out, attempt(to, { client: { ...client(7) } }))).reused).toEqual([true]);
    expect(server.received.map(({ lines }) => lines[0])).toEqual([lineOf(7), 'GET / HTTP/1.1']);
    expect(server.accepted).toBe(1);
  });

  test('never serve another client', async () => {
    const server = await origin();
    const out = transportOf();
    const to = proxied(server.port);
    for (const last of [7, 8, 7, 8]) await send(out, attempt(to, { client: client(last) }));
    const seen = server.received.map(({ lines, connection }) => [connection, lines[0]]);
    expect(seen).toEqual([
      [0, lineOf(7)],
      [1, lineOf(8)],
      [0, 'GET / HTTP/1.1'],
      [1, 'GET / HTTP/1.1'],
    ]);
  });

  test('make room for another client when all of them are idle', async () => {
    const server = await origin();
    const out = transportOf();
    const to = proxied(server.port, { maxConnections: 2 });
    for (const last of [1, 2, 3, 4]) expect((await send(out, attempt(to, { client: client(last) }))).status).toBe(200);
    await server.closed(2);
    expect(server.accepted).toBe(4);
    await turn();
    expect(out.connections(to.connectionKey)).toEqual({ open: 2, busy: 0, queued: 0 });
  });

  test('that become free go to a waiting request of the same client, else make room for the first in line', async () => {
    let open = (): void => {};
    const held = new Promise<void>((resolve) => {
      open = resolve;
    });
    const server = await origin({ script: ['read head', { wait: held }, 'respond 200'] });
    const out = transportOf();
    const to = proxied(server.port, { maxConnections: 1 });
    const sent = [1, 1, 2, 1].map((last, i) => begin(out, attempt(to, { client: client(last), target: `/${i}` })));
    await server.request(0);
    expect(out.connections(to.connectionKey)).toEqual({ open: 1, busy: 1, queued: 3 });
    open();
    for (const { heard } of sent) expect((await heard.over).status).toBe(200);
    const seen = server.received.map(({ lines, connection }) => [connection, lines.slice(0, 2).join(' ')]);
    expect(seen).toEqual([
      [0, `${lineOf(1)} GET /0 HTTP/1.1`],
      [0, 'GET /1 HTTP/1.1 host: shop.test'],
      [1, `${lineOf(2)} GET /2 HTTP/1.1`],
      [2, `${lineOf(1)} GET /3 HTTP/1.1`],
    ]);
  });

  test('whose request was cancelled while they were dialled are not given to another client', async () => {
    const server = await origin();
    const out = transportOf();
    const to = proxied(server.port, { maxConnections: 1 });
    const first = begin(out, attempt(to, { client: client(1) }));
    const second = begin(out, attempt(to, { client: client(2) }));
    first.inFlight.cancel();
    expect((await second.heard.over).status).toBe(200);
    expect(server.received.map(({ lines }) => lines[0])).toEqual([lineOf(2)]);
  });

  test('begin with it before the TLS handshake, and the certificate still has to be right', async () => {
    const certificate = await certificateFor(['shop.test']);
    const server = await tlsBehindHeader(certificate, lineOf(7).length + 2);
    const tls = { serverName: 'shop.test', ca: certificate.cert, insecure: false };
    const right = destination(server.port, { tls, proxyProtocol: 'v1' });
    expect((await send(transportOf(), attempt(right, { client: client(7) }))).body).toBe('ok\n');
    expect(server.headers).toEqual([`${lineOf(7)}\r\n`]);
    const wrong = destination(server.port, { tls: { ...tls, serverName: 'evil.test' }, proxyProtocol: 'v1' });
    const heard = await send(transportOf(), attempt(wrong, { client: client(7) }));
    expect(heard.error?.code).toBe('tls_certificate_error');
  });

  test('fail like any other when the endpoint closes in the middle of the handshake', async () => {
    const server = await origin({ script: ['read 20 bytes', 'close'] });
    const tls = { serverName: 'shop.test', ca: null, insecure: false };
    const heard = await send(
      transportOf(),
      attempt(destination(server.port, { tls, proxyProtocol: 'v2' }), { client: client(7) }),
    );
    expect([heard.error?.status, heard.error?.retry]).toEqual([502, 'always']);
  });
});

/** Reads `length` bytes from each connection, then answers requests over TLS on it. */
async function tlsBehindHeader(certificate: { cert: string; key: string }, length: number) {
  const headers: string[] = [];
  const tls = createTlsServer({ ...certificate, ALPNProtocols: ['http/1.1'] }, (socket) => {
    socket.on('error', () => {});
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n'));
  });
  tls.on('tlsClientError', () => {});
  const server = createServer((socket: Socket) => {
    socket.on('error', () => {});
    socket.on('readable', function take() {
      const header = socket.read(length) as Buffer | null;
      if (header === null) return;
      socket.removeListener('readable', take);
      headers.push(header.toString('latin1'));
      tls.emit('connection', socket);
    });
    stopAfterTest(() => {
      socket.destroy();
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, headers };
}
