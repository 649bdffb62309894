import { expect, test } from 'vitest';
import { TransportByProtocol } from '../../../src/transport/by-protocol.ts';
import { attempt, begin, destination, FedBody } from '../../kit/attempt.ts';
import { until } from '../../kit/deadline.ts';
import { http2Origin } from '../../kit/http2-origin.ts';
import { DATA, HEADERS, rawHttp2Origin } from '../../kit/raw-http2-origin.ts';
import { stopAfterTest } from '../../kit/stop.ts';

test.each([
  ['a frame that must not be there', (peer: Peer) => peer.write(DATA, 0, 0, Buffer.from('x'))],
  ['bytes that are no frames', (peer: Peer) => peer.socket.write(Buffer.alloc(64, 0xff))],
  ['a field list that can’t be decoded', (peer: Peer) => peer.write(HEADERS, 4, 1, Buffer.from([0xff, 0xff, 0xff]))],
  ['a response to nobody', (peer: Peer) => peer.write(HEADERS, 4, 7, Buffer.from([0x88]))],
])(
  '%s ends the session: the attempt fails, nothing is left, and the next one gets a new session',
  async (_what, harm) => {
    const origin = await rawHttp2Origin();
    const transport = transportFor();
    const to = destination(origin.port, { protocol: 'http2' });
    const { heard } = begin(transport, attempt(to));
    const peer = await origin.peer();
    peer.settings();
    await peer.frame(HEADERS);
    harm(peer);
    await heard.over;
    expect(heard.error).toMatchObject({ blame: 'upstream', status: 502, retry: 'never' });
    await until(() => transport.connections(to.connectionKey).open === 0, 'no session');
    const again = begin(transport, attempt(to));
    const other = await origin.peer(1);
    other.settings();
    other.write(HEADERS, 5, (await other.frame(HEADERS)).stream, Buffer.from([0x88]));
    expect((await again.heard.over).status).toBe(200);
  },
);

test('two thousand attempts, finished, refused, cancelled and broken off in turn, leave nothing behind', async () => {
  let n = 0;
  const origin = await http2Origin({
    handle: ({ stream }) => {
      n += 1;
      if (n % 7 === 0) stream.close(7);
      else if (n % 5 === 0) return;
      else {
        stream.respond({ ':status': 200 });
        stream.end('x'.repeat(n % 3 === 0 ? 100_000 : 10));
      }
    },
  });
  const transport = transportFor();
  const to = destination(origin.port, { protocol: 'http2' }, { maxQueued: 4_000 });
  const flights = Array.from({ length: 2_000 }, (_, i) => {
    const body = i % 4 === 0 ? new FedBody(null) : null;
    const sent = begin(transport, attempt(to, { method: body === null ? 'GET' : 'POST', body }));
    sent.heard.keepBody = false;
    return { ...sent, body, i };
  });
  for (const { i, inFlight } of flights) if (i % 3 === 0) inFlight.cancel();
  await until(() => n > 500, 'hundreds of requests');
  for (const { inFlight } of flights) inFlight.cancel();
  await until(() => transport.connections(to.connectionKey).busy === 0, 'all streams to be gone');
  expect(transport.connections(to.connectionKey).queued).toBe(0);
  for (const { body } of flights) expect(body === null || body.into === null).toBe(true);
  await transport.drain(1_000);
  expect(transport.connections(to.connectionKey).open).toBe(0);
});

type Peer = Awaited<ReturnType<Awaited<ReturnType<typeof rawHttp2Origin>>['peer']>>;

function transportFor(): TransportByProtocol {
  const transport = new TransportByProtocol();
  stopAfterTest(() => transport.drain(0));
  return transport;
}
