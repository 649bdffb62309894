import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { matrix } from '../kit/matrix.ts';
import { stopAfterTest } from '../kit/stop.ts';

matrix('over HTTP/1.1, a client may wait for the response head before it sends its body', async ({ gateway }) => {
  const front = await gateway(forwardTo({ port: await talkative() }));
  const exchange = await front.begin({ method: 'POST', chunked: true });
  expect((await exchange.head()).status).toBe(200);
  for (const word of ['one', 'two']) {
    await exchange.write(word);
    expect(String(await exchange.read(3))).toBe(word);
  }
  exchange.end();
  expect((await exchange.reply()).ended).toBe('clean');
});

matrix('over HTTP/2, request and response stream at once', async ({ gateway }) => {
  const shop = await http2Origin();
  const front = await gateway(forwardTo(shop, { pool: { protocol: 'http2' } }));
  const exchange = await front.begin({ method: 'POST', chunked: true });
  const { stream } = await shop.next();
  stream.respond({ ':status': 200 });
  stream.pipe(stream);
  await exchange.head();
  for (const word of ['one', 'two']) {
    await exchange.write(word);
    expect(String(await exchange.read(3))).toBe(word);
  }
  exchange.end();
  expect((await exchange.reply()).ended).toBe('clean');
});

matrix(
  'once there is a response, a client may be silent in its body for as long as the endpoint may',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const front = await stage.gateway(forwardTo({ port: await talkative() }), { clock });
    const exchange = await front.begin({ method: 'POST', chunked: true });
    await exchange.head();
    for (let quietMs = 0; quietMs < 40_000; quietMs += 5_000) clock.advance(5_000);
    await exchange.write('one');
    expect(String(await exchange.read(3))).toBe('one');
    for (let quietMs = 0; quietMs < 125_000; quietMs += 5_000) clock.advance(5_000);
    expect((await exchange.reply()).ended).not.toBe('clean');
    expect((await front.gateway.nextRecord()).end.reason).toBe('idle-timeout');
  },
);

/** Answers before it was told anything, then echoes. */
async function talkative(): Promise<number> {
  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    response.flushHeaders();
    request.pipe(response);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}
