import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import { testAuthority } from '../kit/gateway.ts';
import { type Front, HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { clientTextFrame, serverTextFrame } from '../kit/upgrade.ts';

matrix(
  'a WebSocket client and server talk through the gateway, compression and subprotocol included',
  async ({ gateway }) => {
    const { server, port } = await echoServer();
    const front = await gateway(forwardTo({ port }));
    const socket = await open(front, ['chat']);
    expect([socket.protocol, socket.extensions]).toEqual(['chat', 'permessage-deflate']);
    socket.send('hello '.repeat(1000));
    const [text] = await once(socket, 'message');
    expect(String(text)).toBe('hello '.repeat(1000));
    socket.send(Buffer.alloc(300_000, 7));
    const [bytes] = await once(socket, 'message');
    expect((bytes as Buffer).equals(Buffer.alloc(300_000, 7))).toBe(true);
    socket.close(4001, 'enough');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4001, 'enough']);
    await until(() => server.clients.size === 0, 'the server to see its client go');
    expect(await front.gateway.nextRecord()).toMatchObject({ status: 101, end: { reason: 'complete', error: null } });
  },
  { without: HTTP1_ONLY },
);

matrix(
  'a WebSocket that its server closes is closed at the client with the server’s code',
  async ({ gateway }) => {
    const { server, port } = await echoServer();
    const front = await gateway(forwardTo({ port }));
    const socket = await open(front);
    for (const peer of server.clients) peer.close(4002, 'over');
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4002, 'over']);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'many WebSockets live side by side with requests',
  async ({ gateway }) => {
    const { port } = await echoServer();
    const front = await gateway(forwardTo({ port }));
    const sockets = await Promise.all(Array.from({ length: 20 }, () => open(front)));
    const echoes = sockets.map(async (socket, i) => {
      socket.send(`from ${i}`);
      const [text] = await once(socket, 'message');
      return String(text);
    });
    expect((await front.send({})).text).toBe('plain');
    expect(await Promise.all(echoes)).toEqual(sockets.map((_, i) => `from ${i}`));
  },
  { without: HTTP1_ONLY },
);

matrix(
  'an HTTP/2 client reaches an HTTP/1.1 WebSocket server',
  async ({ gateway }) => {
    const { port } = await echoServer();
    const front = await gateway(forwardTo({ port }));
    const client = await front.connectHttp2();
    const head = [':method', 'CONNECT', ':protocol', 'websocket', ':path', '/', ':scheme', 'https'];
    const stream = client.stream([...head, ':authority', 'shop.test', 'sec-websocket-version', '13'], {
      endStream: false,
    });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    stream.write(clientTextFrame('over h2'));
    const [frame] = await once(stream, 'data');
    expect((frame as Buffer).equals(serverTextFrame('over h2'))).toBe(true);
  },
  { without: HTTP2_ONLY },
);

async function echoServer(): Promise<{ server: WebSocketServer; port: number }> {
  const http = createServer((_request, response) => response.end('plain'));
  const server = new WebSocketServer({
    server: http,
    perMessageDeflate: true,
    handleProtocols: (protocols) => protocols.values().next().value ?? false,
  });
  server.on('connection', (peer) => {
    peer.on('error', () => {});
    peer.on('message', (data, isBinary) => peer.send(data, { binary: isBinary }));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  stopAfterTest(() => {
    for (const peer of server.clients) peer.terminate();
    http.closeAllConnections();
    http.close();
  });
  return { server, port: (http.address() as AddressInfo).port };
}

async function open(front: Front, protocols: string[] = []): Promise<WebSocket> {
  const url = `${front.scheme === 'http' ? 'ws' : 'wss'}://127.0.0.1:${front.gateway.port()}/`;
  const tls = front.scheme === 'http' ? {} : { ca: await testAuthority(), servername: 'shop.test' };
  const socket = new WebSocket(url, protocols, { ...tls, headers: { Host: 'shop.test' } });
  stopAfterTest(() => socket.terminate());
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}
