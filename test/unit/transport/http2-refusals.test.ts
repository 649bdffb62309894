import { expect, test } from 'vitest';
import type { Destination } from '../../../src/exchange/attempt.ts';
import { TransportByProtocol, type TransportOptions } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, FedBody, send } from '../../kit/attempt.ts';
import { until } from '../../kit/deadline.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import {
  DATA,
  END_HEADERS,
  END_STREAM,
  HEADERS,
  type RawHttp2Peer,
  rawHttp2Origin,
  STATUS_200,
} from '../../kit/raw-http2-origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

const REFUSED_STREAM = 0x7;

test('a refused stream is sent again, and nobody needs to know', async () => {
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor(), attempt(h2(origin.port), { method: 'POST' }));
  const peer = await greeted(origin);
  peer.reset((await peer.frame(HEADERS, 0)).stream, REFUSED_STREAM);
  ok(peer, (await peer.frame(HEADERS, 1)).stream);
  await heard.over;
  expect([heard.status, heard.calls]).toEqual([200, ['sent', 'sent', 'head', 'end']]);
});

test('a stream that is refused beside others waits until one of them has ended', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port, { maxConnections: 1 });
  const first = begin(transport, attempt(to));
  const second = begin(transport, attempt(to));
  const peer = await greeted(origin);
  const { stream: one } = await peer.frame(HEADERS, 0);
  peer.reset((await peer.frame(HEADERS, 1)).stream, REFUSED_STREAM);
  await until(() => transport.connections(to.connectionKey).queued === 1, 'the refused one to wait');
  ok(peer, one);
  ok(peer, (await peer.frame(HEADERS, 2)).stream);
  expect([(await first.heard.over).status, (await second.heard.over).status]).toEqual([200, 200]);
});

test('or goes to another session, where there may be one', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port, { maxConnections: 2 });
  const first = begin(transport, attempt(to));
  const second = begin(transport, attempt(to));
  const peer = await greeted(origin);
  const { stream: one } = await peer.frame(HEADERS, 0);
  peer.reset((await peer.frame(HEADERS, 1)).stream, REFUSED_STREAM);
  const other = await greeted(origin, 1);
  ok(other, (await other.frame(HEADERS)).stream);
  expect((await second.heard.over).status).toBe(200);
  ok(peer, one);
  expect((await first.heard.over).status).toBe(200);
});

test('an endpoint that refused a stream is trusted with as many as before after ten seconds', async () => {
  const clock = new ManualClock();
  const origin = await rawHttp2Origin();
  const transport = transportFor({ clock });
  const to = h2(origin.port, { maxConnections: 1, connectTimeoutMs: 0 });
  const [first, second] = [begin(transport, attempt(to)), begin(transport, attempt(to))];
  const peer = await greeted(origin);
  const { stream: one } = await peer.frame(HEADERS, 0);
  peer.reset((await peer.frame(HEADERS, 1)).stream, REFUSED_STREAM);
  await until(() => transport.connections(to.connectionKey).queued === 1, 'the refused one to wait');
  const third = begin(transport, attempt(to));
  expect(transport.connections(to.connectionKey).queued).toBe(2);
  clock.advance(10_000);
  ok(peer, one);
  ok(peer, (await peer.frame(HEADERS, 2)).stream);
  ok(peer, (await peer.frame(HEADERS, 3)).stream);
  for (const { heard } of [first, second, third]) expect((await heard.over).status).toBe(200);
});

test('an endpoint that refuses whatever comes is given up, and another one may be asked', async () => {
  const origin = await rawHttp2Origin();
  const { heard } = begin(transportFor(), attempt(h2(origin.port)));
  const peer = await greeted(origin);
  for (let n = 0; n < 4; n += 1) peer.reset((await peer.frame(HEADERS, n)).stream, REFUSED_STREAM);
  expect((await heard.over).error).toMatchObject({ status: 502, reason: 'stream-refused', retry: 'always' });
});

test('a refused stream whose body was begun is not sent again by us', async () => {
  const origin = await rawHttp2Origin();
  const body = new FedBody(null);
  const { heard } = begin(transportFor(), attempt(h2(origin.port), { method: 'POST', body }));
  const peer = await greeted(origin);
  const { stream } = await peer.frame(HEADERS);
  body.feed('x');
  await peer.frame(DATA);
  peer.reset(stream, REFUSED_STREAM);
  expect((await heard.over).error).toMatchObject({ reason: 'stream-refused', retry: 'always' });
  expect(peer.frames.filter(({ type }) => type === HEADERS)).toHaveLength(1);
});

test('who is cancelled after a refusal is not sent again', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port, { maxConnections: 1 });
  const first = begin(transport, attempt(to));
  const second = begin(transport, attempt(to));
  const peer = await greeted(origin);
  const { stream: one } = await peer.frame(HEADERS, 0);
  peer.reset((await peer.frame(HEADERS, 1)).stream, REFUSED_STREAM);
  await until(() => transport.connections(to.connectionKey).queued === 1, 'the refused one to wait');
  second.inFlight.cancel();
  ok(peer, one);
  await first.heard.over;
  const third = begin(transport, attempt(to));
  ok(peer, (await peer.frame(HEADERS, 2)).stream);
  await third.heard.over;
  expect(peer.frames.filter(({ type }) => type === HEADERS)).toHaveLength(3);
  expect(second.heard.calls).toEqual(['sent']);
});

test('reused sessions are counted, and handshakes that failed', async () => {
  const origin = await rawHttp2Origin();
  const transport = transportFor();
  const to = h2(origin.port);
  const first = begin(transport, attempt(to));
  const peer = await greeted(origin);
  ok(peer, (await peer.frame(HEADERS, 0)).stream);
  await first.heard.over;
  const second = begin(transport, attempt(to));
  ok(peer, (await peer.frame(HEADERS, 1)).stream);
  await second.heard.over;
  expect(transport.traffic(to.connectionKey)).toMatchObject({ opened: 1, reused: 1, racesLost: 0 });
  peer.socket.destroy();
  await until(() => transport.connections(to.connectionKey).open === 0, 'the session to be lost');
  const third = send(transport, attempt(to));
  (await origin.peer(1)).socket.destroy();
  expect((await third).error?.reason).toBe('http2-not-spoken');
  expect([...(transport.traffic(to.connectionKey)?.failures ?? [])]).toEqual([['http2-not-spoken', 1]]);
});

async function greeted(origin: Awaited<ReturnType<typeof rawHttp2Origin>>, n = 0): Promise<RawHttp2Peer> {
  const peer = await origin.peer(n);
  peer.settings();
  return peer;
}

function ok(peer: RawHttp2Peer, stream: number): void {
  peer.write(HEADERS, END_HEADERS | END_STREAM, stream, STATUS_200);
}

function h2(port: number, limits: Partial<Destination['limits']> = {}): Destination {
  return destination(port, { protocol: 'http2' }, limits);
}

function transportFor(options: TransportOptions = {}): TransportByProtocol {
  const transport = new TransportByProtocol(options);
  stopAfterTest(() => transport.drain(0));
  return transport;
}
