import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { RawClient } from '../kit/raw-client.ts';

test.each([
  ['plain', undefined],
  ['TLS', {}],
] as const)('a %s client that writes its whole upload before it reads still gets the refusal', async (_name, tls) => {
  const clock = new ManualClock();
  const listener = await startListener({ clock, tls: tls !== undefined });
  const client = await RawClient.connect({ port: listener.port, ...(tls === undefined ? {} : { tls }) });
  client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${8 << 20}\r\n\r\n`);
  const held = await listener.inbox.next();
  held.respond(413, [], 'no');
  await held.closed();
  client.send(Buffer.alloc(8 << 20));
  // More than is worth reading. To close now would be a reset, which takes the response from a client that has not read it.
  await until(() => held.exchange.bytesIn > 256 * 1024, 'more of the upload than is worth reading');
  for (let turn = 0; turn < 20; turn += 1) await nextTurn();
  expect(listener.listener.connections).toBe(1);
  expect(held.exchange.bytesIn).toBeLessThan(1 << 20);
  expect(await client.response('POST')).toMatchObject({ status: 413 });
  clock.advance(2_500);
  await until(() => listener.listener.connections === 0, 'the connection to be closed');
});

test.each([
  ['Fastify', 'plain', false],
  ['Fastify', 'TLS', false],
  ['the fast lane', 'plain', true],
  ['the fast lane', 'TLS', true],
] as const)(
  'by %s and %s, a last request that is refused before its body has come is not reset',
  async (_, how, fastLane) => {
    const clock = new ManualClock();
    const listener = await startListener({ clock, tls: how === 'TLS', over: { fastLane } });
    const client = await RawClient.connect({ port: listener.port, ...(how === 'plain' ? {} : { tls: {} }) });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nContent-Length: 10\r\n\r\n');
    const held = await listener.inbox.next();
    held.respond(413, [], 'no');
    await held.closed();
    client.send('0123456789');
    await until(() => held.exchange.bytesIn === 10, 'the body to be read and dropped');
    expect(listener.listener.connections).toBe(1);
    expect(await client.response('POST')).toMatchObject({ status: 413 });
    clock.advance(2_500);
    await until(() => listener.listener.connections === 0, 'the connection to be closed');
  },
);
