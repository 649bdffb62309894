import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { WebSocket, WebSocketServer } from 'ws';
import { inTime } from './deadline.ts';
import { testAuthority } from './gateway.ts';
import { type Front, isHttp2 } from './matrix.ts';
import { stopAfterTest } from './stop.ts';
import { clientTextFrame, serverTextFrame } from './upgrade.ts';

export interface EchoOrigin {
  readonly server: WebSocketServer;
  readonly port: number;
}

/** Sends back what comes over WebSockets, and answers all other requests with its name. Closed after the test. */
export async function echoOrigin(name = 'plain'): Promise<EchoOrigin> {
  const http = createServer((_request, response) => response.end(name));
  const server = new WebSocketServer({ server: http });
  server.on('connection', (socket) => {
    socket.on('error', () => {});
    socket.on('message', (message, binary) => socket.send(message, { binary }));
  });
  http.listen(0, '127.0.0.1');
  await once(http, 'listening');
  stopAfterTest(async () => {
    for (const client of server.clients) client.terminate();
    http.closeAllConnections();
    http.close();
    await once(http, 'close');
  });
  return { server, port: (http.address() as AddressInfo).port };
}

/** A WebSocket to an `echoOrigin`, over whichever protocol the client speaks. */
export interface OpenWebSocket {
  /** Sends at most 125 bytes, and resolves when they are back. */
  echo(text: string): Promise<void>;
  /** Resolves when it is over. */
  readonly closed: Promise<void>;
  readonly isOpen: boolean;
}

/** Over HTTP/1.1 each has a connection of its own; over HTTP/2 too. Closed after the test. */
export async function openWebSocket(front: Front, path = '/ws', cookie = ''): Promise<OpenWebSocket> {
  const open = isHttp2(front.downstream) ? overHttp2 : overHttp1;
  return inTime(open(front, path, cookie === '' ? {} : { Cookie: cookie }), 'a WebSocket to open');
}

async function overHttp1(front: Front, path: string, fields: Record<string, string>): Promise<OpenWebSocket> {
  const url = `${front.scheme === 'http' ? 'ws' : 'wss'}://127.0.0.1:${front.gateway.port()}${path}`;
  const tls = front.scheme === 'http' ? {} : { ca: await testAuthority(), servername: 'shop.test' };
  const socket = new WebSocket(url, { ...tls, headers: { Host: 'shop.test', ...fields }, perMessageDeflate: false });
  stopAfterTest(() => socket.terminate());
  socket.on('error', () => {});
  const over = (): void => {};
  const closed = once(socket, 'close').then(over, over);
  await once(socket, 'open');
  return {
    echo: async (text) => {
      const back = once(socket, 'message');
      socket.send(text);
      const [message] = await inTime(back, 'an echo');
      if (String(message) !== text) throw new Error(`Sent “${text}”, got “${message}”`);
    },
    closed,
    get isOpen() {
      return socket.readyState === WebSocket.OPEN;
    },
  };
}

async function overHttp2(front: Front, path: string, fields: Record<string, string>): Promise<OpenWebSocket> {
  const client = await front.connectHttp2();
  if (client.session.remoteSettings.enableConnectProtocol === undefined) await once(client.session, 'remoteSettings');
  const head = [':method', 'CONNECT', ':protocol', 'websocket', ':path', path, ':scheme', front.scheme];
  const own = Object.entries(fields).flatMap(([name, value]) => [name.toLowerCase(), value]);
  const more = [':authority', 'shop.test', 'sec-websocket-version', '13', ...own];
  const stream = client.stream([...head, ...more], { endStream: false });
  stream.on('error', () => {});
  stream.on('end', () => stream.end());
  let isOpen = true;
  const closed = Promise.race([once(stream, 'end'), once(stream, 'close')]).then(() => {
    isOpen = false;
  });
  const [headers] = await once(stream, 'response');
  if (headers[':status'] !== 200) throw new Error(`The WebSocket was answered with ${headers[':status']}`);
  return {
    echo: async (text) => {
      const back = once(stream, 'data');
      stream.write(clientTextFrame(text));
      const [bytes] = await inTime(back, 'an echo');
      if (!serverTextFrame(text).equals(bytes)) throw new Error(`Sent “${text}”, got other bytes`);
    },
    closed,
    get isOpen() {
      return isOpen;
    },
  };
}
