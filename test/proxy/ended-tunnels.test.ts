import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { RawClient } from '../kit/raw-client.ts';

const UPGRADE = 'GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';

test.each([
  ['plain', undefined],
  ['TLS', {}],
] as const)('a %s client that never reads the last bytes of its tunnel is given up', async (_name, tls) => {
  const clock = new ManualClock();
  const listener = await startListener({ clock, tls: tls !== undefined });
  const client = await RawClient.connect({ port: listener.port, ...(tls === undefined ? {} : { tls }) });
  client.socket.pause();
  client.send(UPGRADE);
  const held = await listener.inbox.next();
  const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
  if (channel === undefined) throw new Error('No upgrade was offered');
  const backlog = Buffer.alloc(32 << 20);
  channel.sink.data(backlog);
  channel.sink.end(null);
  client.halfClose();
  clock.advance(60_000);
  expect(listener.listener.connections).toBe(1);
  clock.advance((backlog.length / 4096) * 1000 + 2_000);
  await until(() => listener.listener.connections === 0, 'the connection to be gone');
  await held.closed();
});
