import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { expect, test } from 'vitest';
import type { Destination } from '../../../src/exchange/attempt.ts';
import { TransportByProtocol, type TransportOptions } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, FedBody, type Sent, send } from '../../kit/attempt.ts';
import { until } from '../../kit/deadline.ts';
import { http2Origin } from '../../kit/http2-origin.ts';
import { testCertificate } from '../../kit/listener.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { deadPort } from '../../kit/origin.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  GOAWAY,
  HEADERS,
  PING,
  type RawHttp2Peer,
  rawHttp2Origin,
  SETTINGS,
  STATUS_200,
} from '../../kit/raw-http2-origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const OK = { ':status': 200 };
const MAX_CONCURRENT_STREAMS = 3;

test('a hundred requests share one session, and the next one opens a second', async () => {
  const origin = await http2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const sent = many(101, () => begin(transport, attempt(to)));
  await origin.until(() => origin.arrivals.length === 101, 'all requests');
  expect(origin.sessions).toHaveLength(2);
  expect(transport.connections(to.connectionKey)).toEqual({ open: 2, busy: 2, queued: 0 });
  for (const { stream } of origin.arrivals) stream.respond(OK, { endStream: true });
  for (const { heard } of sent) expect((await heard.over).status).toBe(200);
});

test('an endpoint’s MAX_CONCURRENT_STREAMS is kept to, also when it changes', async () => {
  const origin = await http2Origin({ settings: { maxConcurrentStreams: 2 } });
  const transport = transportFor();
  const to = h2(origin.port, {}, { maxConnections: 1 });
  const sent = many(4, () => begin(transport, attempt(to)));
  await origin.until(() => origin.arrivals.length === 2, 'two requests');
  await until(() => transport.connections(to.connectionKey).queued === 2, 'two to wait');
  origin.sessions[0]?.settings({ maxConcurrentStreams: 3 });
  await origin.until(() => origin.arrivals.length === 3, 'three requests');
  origin.arrivals[0]?.stream.respond(OK, { endStream: true });
  await origin.until(() => origin.arrivals.length === 4, 'four requests');
  for (const { stream } of origin.arrivals.slice(1)) stream.respond(OK, { endStream: true });
  for (const { heard } of sent) expect((await heard.over).status).toBe(200);
  expect(origin.sessions).toHaveLength(1);
});

test('beyond all streams, requests wait within the bounds of the queue', async () => {
  const clock = new ManualClock();
  const origin = await http2Origin({ settings: { maxConcurrentStreams: 1 } });
  const transport = transportFor({ clock });
  const to = h2(origin.port, {}, { maxConnections: 1, maxQueued: 1, queueTimeoutMs: 500 });
  const first = begin(transport, attempt(to));
  await origin.next();
  const second = begin(transport, attempt(to));
  const third = await send(transport, attempt(to));
  expect(third.error).toMatchObject({ status: 503, reason: 'queue-full' });
  clock.advance(700);
  expect((await second.heard.over).error).toMatchObject({ status: 503, reason: 'queue-timeout' });
  first.inFlight.cancel();
});

test('who is cancelled while it waits leaves the line', async () => {
  const origin = await http2Origin({ settings: { maxConcurrentStreams: 1 } });
  const transport = transportFor();
  const to = h2(origin.port, {}, { maxConnections: 1 });
  const [first, second, third] = many(3, () => begin(transport, attempt(to))) as [Sent, Sent, Sent];
  const { stream } = await origin.next();
  second.inFlight.cancel();
  stream.respond(OK, { endStream: true });
  (await origin.next()).stream.respond(OK, { endStream: true });
  expect([(await first.heard.over).status, (await third.heard.over).status]).toEqual([200, 200]);
  expect([second.heard.calls, origin.arrivals.length]).toEqual([[], 2]);
});

test('after GOAWAY, streams above its last one move to a new session, the others end in peace', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const [kept, moved] = many(2, () => begin(transport, attempt(to))) as [Sent, Sent];
  const peer = await origin.peer();
  peer.settings();
  const { stream } = await peer.frame(HEADERS, 0);
  await peer.frame(HEADERS, 1);
  peer.goaway(stream);
  await answer(await origin.peer(1), 0);
  expect((await moved.heard.over).calls).toEqual(['sent', 'sent', 'head', 'end']);
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
  expect((await kept.heard.over).status).toBe(200);
  await once(peer.socket, 'close');
});

test('a second GOAWAY is not about streams that the first one has made move', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const [kept, moved] = many(2, () => begin(transport, attempt(to))) as [Sent, Sent];
  const peer = await origin.peer();
  peer.settings();
  const { stream } = await peer.frame(HEADERS, 0);
  await peer.frame(HEADERS, 1);
  // In one piece: the stream that moves has not closed when the second one comes.
  peer.socket.cork();
  peer.goaway(stream);
  peer.goaway(stream);
  peer.socket.uncork();
  await answer(await origin.peer(1), 0);
  expect((await moved.heard.over).calls).toEqual(['sent', 'sent', 'head', 'end']);
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
  expect((await kept.heard.over).status).toBe(200);
});

test('after GOAWAY, a stream above its last one whose body was begun may be replayed, but not by us', async () => {
  const origin = await rawHttp2Origin();
  const body = new FedBody(null);
  const { heard } = begin(transportFor(), attempt(h2(origin.port), { method: 'POST', body }));
  const peer = await origin.peer();
  peer.settings();
  await peer.frame(HEADERS);
  body.feed('x');
  await peer.frame(DATA);
  peer.goaway(0);
  expect((await heard.over).error).toMatchObject({ status: 502, reason: 'goaway', retry: 'always' });
});

test('an endpoint that only ever says GOAWAY is given up', async () => {
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor(), attempt(h2(origin.port)));
  for (let n = 0; n < 4; n += 1) {
    const peer = await origin.peer(n);
    peer.settings();
    await peer.frame(HEADERS);
    peer.goaway(0);
  }
  expect((await heard.over).error).toMatchObject({ status: 502, reason: 'goaway' });
});

test('a GOAWAY with an error ends what was begun', async () => {
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor(), attempt(h2(origin.port)));
  const peer = await origin.peer();
  peer.settings();
  const { stream } = await peer.frame(HEADERS);
  peer.goaway(stream, 0xb);
  expect((await heard.over).error).toMatchObject({ status: 502, reason: 'enhance-your-calm', retry: 'never' });
});

test.each([
  ['REFUSED_STREAM', 0x7],
  ['HTTP_1_1_REQUIRED', 0xd],
])('a GOAWAY with %s says so of no stream that may have been looked at', async (_name, code) => {
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor(), attempt(h2(origin.port), { method: 'POST' }));
  const peer = await origin.peer();
  peer.settings();
  const { stream } = await peer.frame(HEADERS);
  peer.goaway(stream, code);
  expect((await heard.over).error).toMatchObject({ status: 502, reason: 'stream-reset', retry: 'never' });
  expect(heard.calls.filter((call) => call === 'sent')).toHaveLength(1);
});

test('a connection that is lost fails its streams; those of a session that worked before may be repeated if they are safe', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const first = begin(transport, attempt(to));
  const peer = await origin.peer();
  await answer(peer, 0);
  expect((await first.heard.over).status).toBe(200);
  const second = begin(transport, attempt(to));
  await peer.frame(HEADERS, 1);
  peer.socket.resetAndDestroy();
  expect((await second.heard.over).error).toMatchObject({
    ...{ code: 'connection_terminated', reason: 'connection-closed-without-response', retry: 'if-reused' },
  });
  const third = begin(transport, attempt(to));
  const other = await origin.peer(1);
  other.settings();
  await other.frame(HEADERS);
  other.socket.end();
  expect((await third.heard.over).error).toMatchObject({
    reason: 'connection-closed-without-response',
    retry: 'never',
  });
});

test('nobody waits for an endpoint that refuses connections', async () => {
  const transport = transportFor();
  const to = h2(await deadPort());
  const heard = await Promise.all(many(5, () => send(transport, attempt(to))));
  expect(heard.map(({ error }) => error?.reason)).toEqual(Array(5).fill('connection-refused'));
  expect(transport.connections(to.connectionKey)).toEqual({ open: 0, busy: 0, queued: 0 });
});

test('an endpoint that says nothing is given up in time', async () => {
  const clock = new ManualClock();
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor({ clock }), attempt(h2(origin.port, {}, { connectTimeoutMs: 300 })));
  const peer = await origin.peer();
  await until(() => peer.frames.length > 0, 'our SETTINGS');
  clock.advance(400);
  expect((await heard.over).error).toMatchObject({ status: 504, reason: 'settings-timeout', retry: 'always' });
});

test.each([
  ['agrees to another protocol', ['http/1.1']],
  ['knows nothing of ALPN', undefined],
])('a TLS endpoint that %s is refused', async (_what, protocols) => {
  const { cert, key } = await testCertificate();
  const server = createTlsServer({ cert, key, ...(protocols === undefined ? {} : { ALPNProtocols: protocols }) });
  server.on('tlsClientError', () => {});
  server.on('secureConnection', (socket) => socket.on('error', () => {}));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => server.close());
  const tls = { serverName: 'localhost', ca: cert, insecure: false };
  const heard = await send(transportFor(), attempt(h2((server.address() as AddressInfo).port, { tls })));
  expect(heard.error).toMatchObject({ status: 502, reason: 'alpn-refused', retry: 'always' });
});

test('a session without streams closes after the keep-alive time, politely', async () => {
  const clock = new ManualClock();
  const origin = await rawHttp2Origin();
  const transport = transportFor({ clock });
  const to = h2(origin.port, {}, { keepAliveMs: 2_000 });
  const { heard } = begin(transport, attempt(to));
  const peer = await origin.peer();
  await answer(peer, 0);
  await heard.over;
  await until(() => transport.connections(to.connectionKey).busy === 0, 'the session to be idle');
  clock.advance(2_200);
  await peer.frame(GOAWAY);
  await once(peer.socket, 'close');
  await until(() => transport.connections(to.connectionKey).open === 0, 'no session');
});

test('a session carries no more requests than configured; those that it carries end in peace', async () => {
  const origin = await http2Origin();
  const transport = transportFor();
  const to = h2(origin.port, {}, { maxRequests: 2 });
  const sent = many(3, () => begin(transport, attempt(to)));
  await origin.until(() => origin.arrivals.length === 3, 'all requests');
  expect(origin.sessions).toHaveLength(2);
  for (const { stream } of origin.arrivals) stream.respond(OK, { endStream: true });
  for (const { heard } of sent) expect((await heard.over).status).toBe(200);
  await until(() => transport.connections(to.connectionKey).open === 1, 'the first session to be closed');
});

test('a session that has become older than configured carries one more request and closes', async () => {
  const clock = new ManualClock();
  const origin = await http2Origin();
  const transport = transportFor({ clock, random: () => 0.5 });
  const to = h2(origin.port, {}, { maxAgeMs: 60_000, keepAliveMs: 1_000_000, connectTimeoutMs: 0 });
  for (const [i, waitMs] of [0, 56_000, 2_000].entries()) {
    clock.advance(waitMs);
    const { heard } = begin(transport, attempt(to));
    await origin.until(() => origin.arrivals.length === i + 1, 'the request');
    origin.arrivals[i]?.stream.respond(OK, { endStream: true });
    expect((await heard.over).status).toBe(200);
    await until(() => transport.connections(to.connectionKey).busy === 0, 'the stream to be over');
  }
  expect(origin.sessions).toHaveLength(1);
  await until(() => transport.connections(to.connectionKey).open === 0, 'the session to be closed');
});

test('a silent endpoint is asked whether it is there: one that answers is kept, one that does not is dropped', async () => {
  const clock = new ManualClock();
  const { heard, peer, stream } = await secondStream(clock);
  clock.advance(15_100);
  await peer.frame(PING);
  peer.write(HEADERS, END_HEADERS, stream, STATUS_200);
  await heard.begun;
  clock.advance(15_100);
  expect(heard.error).toBeNull();
  peer.answersPings = false;
  clock.advance(15_100);
  await peer.frame(PING, 1);
  clock.advance(15_100);
  expect((await heard.over).error).toMatchObject({ code: 'http_response_incomplete', reason: 'body-cut-short' });
});

test('a quiet stream is not asked again and again: gRPC servers take that for abuse', async () => {
  const clock = new ManualClock();
  const { heard, peer, stream } = await secondStream(clock);
  clock.advance(15_100);
  await peer.frame(PING);
  // What is acknowledged was read, and everything before it.
  peer.settings();
  await peer.frame(SETTINGS, 2);
  for (let quietMs = 0; quietMs < 280_000; quietMs += 15_000) clock.advance(15_000);
  peer.settings();
  await peer.frame(SETTINGS, 3);
  expect(peer.frames.filter(({ type }) => type === PING)).toHaveLength(1);
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
  expect((await heard.over).status).toBe(200);
});

test('a head that does not come in time ends the attempt; a body that is still being sent does not', async () => {
  const clock = new ManualClock();
  const origin = await http2Origin();
  const transport = transportFor({ clock });
  const body = new FedBody(null);
  const { heard } = begin(transport, attempt(h2(origin.port), { method: 'POST', body, headTimeoutMs: 1_000 }));
  const { stream } = await origin.next();
  clock.advance(5_000);
  clock.advance(5_000);
  expect(heard.error).toBeNull();
  body.finish();
  await once(stream.resume(), 'end');
  clock.advance(1_200);
  expect((await heard.over).error).toMatchObject({ status: 504, reason: 'head-timeout', retry: 'never' });
  await once(stream, 'close');
});

test('keys that are not retained lose their idle sessions, and busy ones when they finish', async () => {
  const origin = await http2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const { heard } = begin(transport, attempt(to));
  const { stream } = await origin.next();
  transport.retain(new Set());
  stream.respond(OK);
  stream.end('still here');
  expect((await heard.over).body).toBe('still here');
  await until(() => transport.connections(to.connectionKey).open === 0, 'no session');
  transport.retain(new Set([to.connectionKey]));
});

test('a drain waits for what is in flight and then closes everything', async () => {
  const origin = await http2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const { heard } = begin(transport, attempt(to));
  const { stream } = await origin.next();
  const drained = transport.drain(60_000);
  stream.respond(OK);
  stream.end('done');
  expect((await heard.over).body).toBe('done');
  await drained;
  expect(transport.connections(to.connectionKey)).toEqual({ open: 0, busy: 0, queued: 0 });
  expect((await send(transport, attempt(to))).error).toMatchObject({ status: 503, reason: 'shutting-down' });
});

test('a drain whose time is up cuts off what is left', async () => {
  const origin = await http2Origin();
  const transport = transportFor();
  const { heard } = begin(transport, attempt(h2(origin.port)));
  await origin.next();
  await transport.drain(0);
  expect((await heard.over).error).toMatchObject({ code: 'connection_terminated' });
});

/** A stream on a session that has carried one before: everything that the endpoint had to say at first was read. */
async function secondStream(clock: ManualClock) {
  const origin = await rawHttp2Origin();
  const transport = transportFor({ clock });
  const first = begin(transport, attempt(h2(origin.port)));
  const peer = await origin.peer();
  await answer(peer, 0);
  await first.heard.over;
  await until(() => transport.connections(h2(origin.port).connectionKey).busy === 0, 'the session to be idle');
  const { heard } = begin(transport, attempt(h2(origin.port)));
  const { stream } = await peer.frame(HEADERS, 1);
  return { heard, peer, stream };
}

async function answer(peer: RawHttp2Peer, n: number): Promise<void> {
  peer.settings([MAX_CONCURRENT_STREAMS, 100]);
  const { stream } = await peer.frame(HEADERS, n);
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
}

function many<T>(count: number, make: () => T): T[] {
  return Array.from({ length: count }, make);
}

function h2(port: number, over: Partial<Destination> = {}, limits: Partial<Destination['limits']> = {}): Destination {
  return destination(port, { protocol: 'http2', ...over }, limits);
}

function transportFor(options: TransportOptions = {}): TransportByProtocol {
  const transport = new TransportByProtocol(options);
  stopAfterTest(() => transport.drain(0));
  return transport;
}
