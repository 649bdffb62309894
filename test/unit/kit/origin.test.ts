import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { expect, test } from 'vitest';
import { certificateFor } from '../../kit/certificate.ts';
import { deadPort, origin } from '../../kit/origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

function dial(port: number): Socket {
  const socket = connect(port, '127.0.0.1');
  stopAfterTest(() => socket.destroy());
  return socket;
}

/** Everything until the peer's end; `reset` when it was an RST. */
async function everything(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => {
    text += '<reset>';
  });
  await new Promise((resolve) => socket.once('close', resolve));
  return text;
}

test('an origin without a script answers request after request on one connection', async () => {
  const server = await origin();
  const socket = dial(server.port);
  socket.write('POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcGET /b HTTP/1.1\r\nHost: x\r\n\r\n');
  await server.complete(1);
  socket.end();
  const text = await everything(socket);
  expect(text.match(/HTTP\/1.1 200 OK/g)).toHaveLength(2);
  expect(server.accepted).toBe(1);
  expect(server.received.map((request) => [request.method, request.target, request.text])).toEqual([
    ['POST', '/a', 'abc'],
    ['GET', '/b', ''],
  ]);
});

test('a script reads a head and four bytes, then resets', async () => {
  const server = await origin({ script: ['read head', 'read 4 bytes', 'reset'] });
  const socket = dial(server.port);
  const text = everything(socket);
  socket.write('POST / HTTP/1.1\r\nContent-Length: 8\r\n\r\nabcdefgh');
  expect(await text).toBe('<reset>');
  expect(server.received[0]?.text).toBe('abcd');
  await server.closed(1);
  expect(server.openConnections).toBe(0);
});

test('a chunked body is read with its trailers', async () => {
  const server = await origin();
  const socket = dial(server.port);
  socket.write('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n1\r\nd\r\n0\r\nX-Sum: 1\r\n\r\n');
  const request = await server.complete();
  expect([request.text, request.trailers]).toEqual(['abcd', ['X-Sum: 1']]);
});

test('each connection may have its own script', async () => {
  const server = await origin({
    scripts: [
      ['read head', { send: 'one' }, 'close'],
      ['read head', { send: 'two' }, 'end'],
    ],
  });
  for (const expected of ['one', 'two', 'two']) {
    const socket = dial(server.port);
    socket.write('GET / HTTP/1.1\r\n\r\n');
    expect(await everything(socket)).toBe(expected);
  }
});

test('a script waits for a signal of the test', async () => {
  let go = () => {};
  const signal = new Promise<void>((resolve) => {
    go = resolve;
  });
  const server = await origin({ script: ['read head', { wait: signal }, { sendEach: ['a', 'b'] }, 'end'] });
  const socket = dial(server.port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await server.request();
  go();
  expect(await everything(socket)).toBe('ab');
});

test('a silent origin notices that its peer leaves', async () => {
  const server = await origin({ script: ['read head', 'silent'] });
  const socket = dial(server.port);
  socket.write('GET / HTTP/1.1\r\n\r\n');
  await server.request();
  socket.resetAndDestroy();
  await server.closed(1);
});

test('an upgraded connection echoes', async () => {
  const server = await origin({ script: ['read head', { upgrade: 'websocket', first: 'hello ' }, 'echo'] });
  const socket = dial(server.port);
  socket.write('GET / HTTP/1.1\r\nUpgrade: websocket\r\n\r\n');
  await server.request();
  socket.end('you');
  expect(await everything(socket)).toMatch(/^HTTP\/1.1 101 [\s\S]*\r\n\r\nhello you$/);
});

test('an origin speaks TLS with a certificate of the kit', async () => {
  const certificate = await certificateFor(['shop.test']);
  const server = await origin({ tls: certificate });
  const socket = connectTls({ port: server.port, host: '127.0.0.1', servername: 'shop.test', ca: certificate.cert });
  stopAfterTest(() => socket.destroy());
  socket.write('GET / HTTP/1.1\r\n\r\n');
  const [chunk] = await once(socket, 'data');
  expect(String(chunk)).toMatch(/^HTTP\/1.1 200/);
});

test('nobody listens on a dead port', async () => {
  const socket = dial(await deadPort());
  const [error] = await once(socket, 'error');
  expect(error.code).toBe('ECONNREFUSED');
});

test('a step that does not exist is refused at once', async () => {
  await expect(origin({ script: ['respnod 200' as 'end'] })).rejects.toThrow(/respnod/);
});
