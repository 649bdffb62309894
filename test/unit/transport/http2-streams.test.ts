import { once } from 'node:events';
import { constants } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { clientGone } from '../../../src/errors.ts';
import type { Destination } from '../../../src/exchange/attempt.ts';
import { TransportByProtocol, type TransportOptions } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, FedBody, readyBody, send } from '../../kit/attempt.ts';
import { until } from '../../kit/deadline.ts';
import { SETTING } from '../../kit/h2-frames.ts';
import { type Http2OriginOptions, http2Origin } from '../../kit/http2-origin.ts';
import { testCertificate } from '../../kit/listener.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  RST_STREAM,
  rawHttp2Origin,
  STATUS_200,
} from '../../kit/raw-http2-origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const OK = { ':status': 200 };

test('a request goes out as an HTTP/2 field list and its response comes back whole', async () => {
  const { origin, transport, to } = await pair({
    handle: ({ stream }) => {
      stream.respond({ ':status': 201, 'set-cookie': ['a=1', 'b=2'], 'x-end': 'yes' });
      stream.end('hello');
    },
  });
  const headers = ['Host', 'shop.test', 'X-Two', '1', 'x-two', '2', 'Cookie', 'a=1; b=2', 'TE', 'trailers'];
  const heard = await send(transport, attempt(to, { target: '/a?b', headers }));
  expect(origin.arrivals[0]?.fields).toEqual([
    ...[':method', 'GET', ':scheme', 'http', ':path', '/a?b', ':authority', 'shop.test'],
    ...['x-two', '1', 'x-two', '2', 'cookie', 'a=1; b=2', 'te', 'trailers'],
  ]);
  expect(heard.status).toBe(201);
  expect(heard.head_?.headers.slice(0, 6)).toEqual(['set-cookie', 'a=1', 'set-cookie', 'b=2', 'x-end', 'yes']);
  expect([heard.body, heard.calls]).toEqual(['hello', ['sent', 'head', 'data', 'end']]);
});

test('fields of a connection are never sent (RFC 9113 §8.2.2)', async () => {
  const { origin, transport, to } = await pair({ handle: ({ stream }) => stream.respond(OK, { endStream: true }) });
  const hop = ['Connection', 'x', 'Keep-Alive', '5', 'Transfer-Encoding', 'chunked', 'Upgrade', 'x', 'TE', 'gzip'];
  await send(transport, attempt(to, { headers: ['Host', 'shop.test', ...hop, 'X-Kept', '1'] }));
  expect(origin.arrivals[0]?.fields.slice(6)).toEqual([':authority', 'shop.test', 'x-kept', '1']);
});

test('a field that would split the list is not sent at all', async () => {
  const { origin, transport, to } = await pair();
  const heard = await send(transport, attempt(to, { headers: ['Host', 'shop.test', 'X', 'a\0b\0c\0'] }));
  expect(heard.error).toMatchObject({ status: 500, reason: 'unsendable-request', retry: 'never' });
  expect(origin.arrivals).toHaveLength(0);
});

test('a response that ends with its head says so', async () => {
  const { transport, to } = await pair({ handle: ({ stream }) => stream.respond(OK, { endStream: true }) });
  const heard = await send(transport, attempt(to));
  expect(heard.lasts).toEqual([true]);
  expect(heard.calls).toEqual(['sent', 'head', 'end']);
});

test('the head goes out before the first byte of the body, and both directions stream at once', async () => {
  const { origin, transport, to } = await pair();
  const body = new FedBody(null);
  const { heard } = begin(transport, attempt(to, { method: 'POST', body }));
  const { stream } = await origin.next();
  stream.respond(OK);
  await heard.begun;
  for (const word of ['one', 'two']) {
    body.feed(word);
    const [got] = await once(stream, 'data');
    stream.write(`${got}!`);
    await until(() => heard.body.endsWith(`${word}!`), 'the echo');
  }
  body.finish();
  stream.end();
  await heard.over;
  expect([heard.body, heard.error]).toEqual(['one!two!', null]);
});

test('trailers travel both ways', async () => {
  const { origin, transport, to } = await pair();
  const body = new FedBody(null);
  const { heard } = begin(transport, attempt(to, { method: 'POST', body }));
  const arrival = await origin.next();
  body.feed('x');
  body.finish(['X-Sum', 'abc', 'Connection', 'never']);
  expect(await arrival.body()).toBe('x');
  expect(arrival.trailers).toEqual(['x-sum', 'abc']);
  arrival.stream.respond(OK, { waitForTrailers: true });
  arrival.stream.on('wantTrailers', () => arrival.stream.sendTrailers({ 'grpc-status': '0' }));
  arrival.stream.end('y');
  await heard.over;
  expect([heard.body, heard.trailers]).toEqual(['y', ['grpc-status', '0']]);
});

test('a body of known length is announced', async () => {
  const { origin, transport, to } = await pair();
  const { heard } = begin(transport, attempt(to, { method: 'POST', body: readyBody('12345') }));
  const arrival = await origin.next();
  expect([arrival.field('content-length'), await arrival.body()]).toEqual(['5', '12345']);
  arrival.stream.respond(OK, { endStream: true });
  await heard.over;
});

test('interim responses are passed on, and endless ones end the attempt', async () => {
  const { origin, transport, to } = await pair();
  const { heard } = begin(transport, attempt(to));
  const { stream } = await origin.next();
  stream.additionalHeaders({ ':status': 103, link: '</a.css>' });
  stream.respond(OK, { endStream: true });
  await heard.over;
  expect(heard.interim).toEqual([{ status: 103, headers: ['link', '</a.css>'] }]);
  const chatty = begin(transport, attempt(to)).heard;
  const { stream: second } = await origin.next();
  for (let i = 0; i < 40; i += 1) second.additionalHeaders({ ':status': 102 });
  await chatty.over;
  expect(chatty.error).toMatchObject({ status: 502, reason: 'too-many-interim-responses' });
});

test('a receiver that asks for a stop gets no more than the stream’s window ahead, and then the rest', async () => {
  const SIZE = 8 * 1024 * 1024;
  const { origin, transport, to } = await pair();
  const { heard } = begin(transport, attempt(to));
  heard.keepBody = false;
  heard.accepting = false;
  const { stream } = await origin.next();
  stream.respond(OK);
  stream.end(Buffer.alloc(SIZE, 'x'));
  await heard.begun;
  await until(() => heard.bytes > 0, 'the first bytes');
  for (let i = 0; i < 200; i += 1) await new Promise((resolve) => setImmediate(resolve));
  expect(heard.bytes).toBeLessThan(2 * 1024 * 1024);
  // A stopped stream holds up no other.
  const other = begin(transport, attempt(to)).heard;
  const arrival = await origin.next();
  arrival.stream.respond(OK);
  arrival.stream.end('quick');
  expect((await other.over).body).toBe('quick');
  heard.accepting = true;
  heard.onDrain?.();
  expect((await heard.over).bytes).toBe(SIZE);
});

test('a request body waits for an endpoint that does not read', async () => {
  const { origin, transport, to } = await pair();
  const body = new FedBody(null);
  const { inFlight } = begin(transport, attempt(to, { method: 'POST', body }));
  const { stream } = await origin.next();
  while (body.feed(Buffer.alloc(16_384))) await new Promise((resolve) => setImmediate(resolve));
  expect(body.stopped).toBe(true);
  stream.resume();
  await body.drained();
  inFlight.cancel();
});

test('a cancelled attempt resets its stream with CANCEL and leaves the session to the others', async () => {
  const { origin, transport, to } = await pair();
  const first = begin(transport, attempt(to));
  const { stream } = await origin.next();
  first.inFlight.cancel();
  await once(stream, 'close');
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  expect(first.heard.calls).toEqual(['sent']);
  const second = begin(transport, attempt(to)).heard;
  (await origin.next()).stream.respond(OK, { endStream: true });
  expect((await second.over).status).toBe(200);
  expect([origin.sessions.length, second.reused]).toEqual([1, [true]]);
});

test('a client that breaks its body off resets the stream', async () => {
  const { origin, transport, to } = await pair();
  const body = new FedBody(null);
  const { heard } = begin(transport, attempt(to, { method: 'POST', body }));
  const { stream } = await origin.next();
  body.feed('x');
  body.break(clientGone());
  await once(stream, 'close');
  expect(stream.rstCode).toBe(constants.NGHTTP2_CANCEL);
  expect((await heard.over).error).toMatchObject({ status: 499 });
});

test('an answer before the end of the upload ends the upload, not the answer', async () => {
  const { origin, transport, to } = await pair();
  const body = new FedBody(null);
  const { heard } = begin(transport, attempt(to, { method: 'POST', body }));
  const { stream } = await origin.next();
  body.feed('x');
  stream.respond({ ':status': 413 });
  stream.end('too much');
  await heard.over;
  expect([heard.status, heard.body, heard.error, body.unpipes]).toEqual([413, 'too much', null, 1]);
  await once(stream, 'close');
  expect(stream.rstCode).toBe(constants.NGHTTP2_NO_ERROR);
});

test('a request that its endpoint has answered and never takes gives its stream back', async () => {
  const clock = new ManualClock();
  const origin = await rawHttp2Origin();
  const transport = transportFor({ clock });
  const to = h2(origin.port);
  const sent = begin(transport, attempt(to, { method: 'POST', body: readyBody('never taken') }));
  const peer = await origin.peer();
  peer.settings([SETTING.initialWindowSize, 0]);
  const { stream } = await peer.frame(HEADERS);
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
  expect((await sent.heard.over).status).toBe(200);
  expect(transport.connections(to.connectionKey).busy).toBe(1);
  clock.advance(2_100);
  expect((await peer.frame(RST_STREAM)).payload.readUInt32BE(0)).toBe(constants.NGHTTP2_CANCEL);
  await until(() => transport.connections(to.connectionKey).busy === 0, 'the stream to be given back');
});

test('a response head beyond the bound is refused', async () => {
  const { to } = await pair({
    handle: ({ stream }) => stream.respond({ ...OK, a: 'x'.repeat(1500) }, { endStream: true }),
  });
  const heard = await send(transportFor({ maxHeadBytes: 1000 }), attempt(to));
  expect(heard.error).toMatchObject({
    ...{ status: 502, code: 'http_response_header_section_size', reason: 'response-head-too-large' },
  });
});

const resets: readonly {
  readonly code: number;
  readonly reason: string;
  readonly retry: string;
  readonly error: string;
}[] = [
  { code: constants.NGHTTP2_REFUSED_STREAM, reason: 'stream-refused', retry: 'always', error: 'connection_terminated' },
  { code: constants.NGHTTP2_CANCEL, reason: 'stream-cancelled', retry: 'never', error: 'connection_terminated' },
  {
    code: constants.NGHTTP2_ENHANCE_YOUR_CALM,
    reason: 'enhance-your-calm',
    retry: 'never',
    error: 'connection_terminated',
  },
  {
    code: constants.NGHTTP2_INTERNAL_ERROR,
    reason: 'stream-internal-error',
    retry: 'never',
    error: 'connection_terminated',
  },
  {
    code: constants.NGHTTP2_PROTOCOL_ERROR,
    reason: 'stream-protocol-error',
    retry: 'never',
    error: 'http_protocol_error',
  },
  {
    code: constants.NGHTTP2_HTTP_1_1_REQUIRED,
    reason: 'http1-required',
    retry: 'never',
    error: 'connection_terminated',
  },
  { code: 0xbeef, reason: 'stream-internal-error', retry: 'never', error: 'connection_terminated' },
];

test.each(resets)(
  'RST_STREAM $code before the head is $reason, retry $retry',
  async ({ code, reason, retry, error }) => {
    const { transport, to } = await pair({ handle: ({ stream }) => stream.close(code) });
    const heard = await send(transport, attempt(to));
    expect(heard.error).toMatchObject({ status: 502, code: error, reason, retry, blame: 'upstream' });
  },
);

test.each([constants.NGHTTP2_INTERNAL_ERROR, constants.NGHTTP2_CANCEL, constants.NGHTTP2_NO_ERROR])(
  'RST_STREAM %i in the middle of a body is a truncation, never an end',
  async (code) => {
    const origin = await rawHttp2Origin();
    const { heard } = begin(transportFor(), attempt(h2(origin.port)));
    const peer = await origin.peer();
    peer.settings();
    const { stream } = await peer.frame(HEADERS);
    peer.write(HEADERS, END_HEADERS, stream, STATUS_200);
    peer.write(DATA, 0, stream, Buffer.from('half'));
    await until(() => heard.body === 'half', 'the first half');
    peer.reset(stream, code);
    await heard.over;
    expect(heard.error).toMatchObject({ code: 'http_response_incomplete', retry: 'never' });
  },
);

test('a body that was read late is whole, although its stream was reset with NO_ERROR behind its end', async () => {
  const origin = await rawHttp2Origin();
  const body = new FedBody(null);
  const { heard } = begin(transportFor(), attempt(h2(origin.port), { method: 'POST', body }));
  heard.accepting = false;
  const peer = await origin.peer();
  peer.settings();
  const { stream } = await peer.frame(HEADERS);
  peer.write(HEADERS, END_HEADERS, stream, STATUS_200);
  for (let i = 0; i < 20; i += 1) peer.write(DATA, i === 19 ? END_STREAM : 0, stream, Buffer.alloc(10_000, 'x'));
  peer.reset(stream, constants.NGHTTP2_NO_ERROR);
  await until(() => heard.bytes > 0, 'the first bytes');
  heard.accepting = true;
  heard.onDrain?.();
  await heard.over;
  expect([heard.bytes, heard.error]).toEqual([200_000, null]);
});

test('an endpoint that is not one of HTTP/2 is said to be so, and nothing was asked of it', async () => {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  const heard = await send(transportFor(), attempt(h2((server.address() as AddressInfo).port)));
  expect(heard.error).toMatchObject({ status: 502, reason: 'http2-not-spoken', retry: 'always' });
});

test('over TLS the protocol is agreed on by ALPN', async () => {
  const { origin, transport, to } = await pair({
    tls: true,
    handle: ({ stream }) => stream.respond(OK, { endStream: true }),
  });
  expect((await send(transport, attempt(to))).status).toBe(200);
  expect([origin.sessions[0]?.alpnProtocol, origin.arrivals[0]?.field(':scheme')]).toEqual(['h2', 'https']);
});

async function pair(options: Http2OriginOptions = {}, limits: Partial<Destination['limits']> = {}) {
  const origin = await http2Origin(options);
  const tls =
    options.tls === true ? { serverName: 'localhost', ca: (await testCertificate()).cert, insecure: false } : null;
  return { origin, transport: transportFor(), to: h2(origin.port, { tls }, limits) };
}

function h2(port: number, over: Partial<Destination> = {}, limits: Partial<Destination['limits']> = {}): Destination {
  return destination(port, { protocol: 'http2', ...over }, limits);
}

function transportFor(options: TransportOptions = {}): TransportByProtocol {
  const transport = new TransportByProtocol(options);
  stopAfterTest(() => transport.drain(0));
  return transport;
}
