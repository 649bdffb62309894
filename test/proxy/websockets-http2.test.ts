import { once } from 'node:events';
import { createSecureServer } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { expect } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { inTime, until } from '../kit/deadline.ts';
import { testAuthority } from '../kit/gateway.ts';
import { type Http2Arrival, http2Origin } from '../kit/http2-origin.ts';
import { testCertificate } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { clientTextFrame, serverTextFrame } from '../kit/upgrade.ts';

const TUNNELS = { settings: { enableConnectProtocol: true } } as const;
const HTTP2: Forwarding = { pool: { protocol: 'http2' } };
const CONNECT = [':method', 'CONNECT', ':protocol', 'websocket', ':path', '/live?x=1', ':scheme', 'https'];
const HANDSHAKE = [...CONNECT, ':authority', 'shop.test', 'sec-websocket-version', '13'];

matrix(
  'a WebSocket client over HTTP/1.1 talks to an endpoint over extended CONNECT (RFC 8441)',
  async ({ gateway }) => {
    const shop = await http2Origin(TUNNELS);
    const front = await gateway(forwardTo(shop, HTTP2));
    const opening = open(front);
    const arrival = await shop.next();
    expect([':method', ':protocol', ':path', 'sec-websocket-version'].map((name) => arrival.field(name))).toEqual([
      ...['CONNECT', 'websocket', '/', '13'],
    ]);
    // RFC 8441 §5: they belong to the HTTP/1.1 handshake.
    expect(['sec-websocket-key', 'upgrade', 'connection'].map((name) => arrival.field(name))).toEqual(Array(3));
    arrival.stream.respond({ ':status': 200, 'x-endpoint': 'yes' });
    // The client checks Sec-WebSocket-Accept.
    const socket = await opening;
    arrival.stream.write(serverTextFrame('hello'));
    expect(String((await once(socket, 'message'))[0])).toBe('hello');
    socket.send('hi');
    expect((await once(arrival.stream, 'data'))[0]).toHaveLength(8);
    // A close frame and then the end, as endpoints do.
    arrival.stream.end(Buffer.from([0x88, 2, 0x0f, 0xa1]));
    expect((await once(socket, 'close'))[0]).toBe(4001);
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ status: 101, bytesIn: 16, bytesOut: 11, end: { side: 'upstream', reason: 'complete', error: null } },
    });
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a WebSocket goes from extended CONNECT to extended CONNECT, which is advertised',
  async ({ gateway }) => {
    const shop = await http2Origin(TUNNELS);
    const front = await gateway(forwardTo(shop, HTTP2));
    const client = await front.connectHttp2();
    if (client.session.remoteSettings.enableConnectProtocol === undefined) await once(client.session, 'remoteSettings');
    expect(client.session.remoteSettings.enableConnectProtocol).toBe(true);
    const stream = client.stream(HANDSHAKE, { endStream: false });
    const arrival = await shop.next();
    expect(arrival.field(':path')).toBe('/live?x=1');
    arrival.stream.respond({ ':status': 200 });
    const [headers] = await once(stream, 'response');
    expect([headers[':status'], headers['sec-websocket-accept']]).toEqual([200, undefined]);
    stream.write(clientTextFrame('over h2'));
    expect((await once(arrival.stream, 'data'))[0]).toEqual(clientTextFrame('over h2'));
    arrival.stream.write(serverTextFrame('back'));
    expect((await once(stream, 'data'))[0]).toEqual(serverTextFrame('back'));
    // Node's client says END_STREAM before RST_STREAM.
    stream.close(8);
    await until(() => arrival.stream.readableEnded, 'the endpoint to hear of it');
    arrival.stream.end();
    expect(await front.gateway.nextRecord()).toMatchObject({
      ...{ bytesIn: 13, bytesOut: 6, end: { side: 'client', reason: 'complete', error: null } },
    });
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an endpoint’s refusal of an extended CONNECT reaches the client as it is',
  async ({ gateway }) => {
    const refuse = ({ stream }: Http2Arrival): void => {
      stream.respond({ ':status': 403, 'x-why': 'members only' });
      stream.end('no');
    };
    const shop = await http2Origin({ ...TUNNELS, handle: refuse });
    const front = await gateway(forwardTo(shop, HTTP2));
    const client = await front.connectHttp1();
    client.write(
      'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const reply = await client.expect().reply();
    expect([reply.status, reply.header('x-why'), reply.text]).toEqual([403, 'members only', 'no']);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'an endpoint’s success without a switch is not a tunnel for a client of extended CONNECT (RFC 8441 §5)',
  async ({ gateway, origin }) => {
    const ignorant = await origin();
    const hasty = await http2Origin({
      ...TUNNELS,
      handle: ({ stream }) => stream.respond({ ':status': 200 }, { endStream: true }),
    });
    for (const config of [forwardTo(ignorant), forwardTo(hasty, HTTP2)]) {
      const front = await gateway(config);
      const client = await front.connectHttp2();
      const stream = client.stream(HANDSHAKE, { endStream: false });
      const [headers] = await once(stream, 'response');
      expect([headers[':status'], headers['proxy-status']]).toEqual([502, 'headgate; error=http_protocol_error']);
      expect(await front.gateway.nextRecord()).toMatchObject({ status: 502, end: { reason: 'unsendable-response' } });
      stream.close();
    }
    expect((await ignorant.request()).header('upgrade')).toBe('websocket');
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an endpoint that breaks a tunnel off breaks it off at the client, too',
  async ({ gateway }) => {
    const shop = await http2Origin(TUNNELS);
    const front = await gateway(forwardTo(shop, HTTP2));
    const opening = open(front);
    const { stream } = await shop.next();
    stream.respond({ ':status': 200 });
    const socket = await opening;
    stream.destroy(new Error('crashed'));
    expect((await once(socket, 'close'))[0]).toBe(1006);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'upstream', reason: 'tunnel-closed' });
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a silent tunnel over HTTP/2 ends after tunnelIdle',
  async ({ gateway }) => {
    const clock = new ManualClock(Date.now());
    const shop = await http2Origin(TUNNELS);
    const front = await gateway(forwardTo(shop, { ...HTTP2, route: { timeouts: { tunnelIdle: '10s' } } }), { clock });
    const opening = open(front);
    const { stream } = await shop.next();
    stream.respond({ ':status': 200 });
    const socket = await opening;
    clock.advance(10_200);
    expect((await once(socket, 'close'))[0]).toBe(1006);
    await until(() => stream.closed, 'the endpoint to hear of it');
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'gateway', reason: 'tunnel-idle-timeout' });
  },
  { without: HTTP1_ONLY },
);

matrix(
  'the WebSockets of an HTTP/2 endpoint without extended CONNECT go over HTTP/1.1',
  async ({ gateway }) => {
    const port = await bilingualEndpoint();
    const pool = { protocol: 'http2', endpoints: [`https://localhost:${port}`], tls: { insecure: true } } as const;
    const front = await gateway(forwardTo({ port }, { pool: { ...pool, endpoints: [...pool.endpoints] } }));
    const socket = await open(front);
    socket.send('echo');
    expect(String((await once(socket, 'message'))[0])).toBe('echo');
    expect((await front.send({})).text).toBe('HTTP/2.0');
  },
  { without: HTTP1_ONLY },
);

/** Says in which version it was asked; echoes on WebSockets, which it does over HTTP/1.1 only. */
async function bilingualEndpoint(): Promise<number> {
  const server = createSecureServer({ ...(await testCertificate()), allowHTTP1: true }, (request, response) => {
    response.end(`HTTP/${request.httpVersion}`);
  });
  const sockets = new WebSocketServer({ noServer: true });
  sockets.on('connection', (peer) => peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary })));
  server.on('upgrade', (request, socket: Socket, head: Buffer) => {
    sockets.handleUpgrade(request, socket, head, (peer) => sockets.emit('connection', peer));
  });
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => open.add(socket));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

async function open(front: Front): Promise<WebSocket> {
  const url = `${front.scheme === 'http' ? 'ws' : 'wss'}://127.0.0.1:${front.gateway.port()}/`;
  const tls = front.scheme === 'http' ? {} : { ca: await testAuthority(), servername: 'shop.test' };
  const socket = new WebSocket(url, [], { ...tls, headers: { Host: 'shop.test' } });
  stopAfterTest(() => socket.terminate());
  socket.on('error', () => {});
  await inTime(once(socket, 'open'), 'a WebSocket to open');
  return socket;
}
