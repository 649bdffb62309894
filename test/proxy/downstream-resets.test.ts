import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { ExchangeInbox, type HeldExchange, StallingSink } from '../kit/exchange-inbox.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener, type TestListener } from '../kit/listener.ts';
import { RawClient } from '../kit/raw-client.ts';

/** An error event without a listener ends the process for every user: none may come, whatever the order of events. */
const uncaught: unknown[] = [];
const note = (error: unknown): unknown => uncaught.push(error);

beforeEach(() => {
  uncaught.length = 0;
  process.on('uncaughtException', note);
});

afterEach(() => {
  process.off('uncaughtException', note);
  expect(uncaught).toEqual([]);
});

/** Nothing is left of any client, and every exchange ended exactly once. */
async function nothingLeft(listener: TestListener, held: readonly HeldExchange[]): Promise<void> {
  await until(() => listener.listener.connections === 0, 'every connection to be gone');
  await until(() => held.every(({ closes }) => closes === 1), 'every exchange to be closed');
  for (const each of held) expect(each.gone.length).toBeLessThanOrEqual(1);
}

const request = [
  'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\nX-T: 1\r\n\r\n',
  'GET /b HTTP/1.1\r\nHost: a\r\n\r\n',
  'GET /c HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\nhello',
].join('');

describe.each([
  ['plain', undefined],
  ['TLS', {}],
] as const)('a client that resets its %s connection', (_name, tls) => {
  const connectTo = (listener: TestListener): Promise<RawClient> =>
    RawClient.connect({ port: listener.port, ...(tls === undefined ? {} : { tls }) });

  test('after any number of request bytes harms nobody', async () => {
    const listener = await startListener({ tls: tls !== undefined });
    for (let cut = 0; cut <= request.length; cut += 3) {
      const client = await connectTo(listener);
      await client.sendAll(request.slice(0, cut));
      client.reset();
    }
    await nothingLeft(listener, listener.inbox.held);
  });

  test.each<[string, (held: HeldExchange) => void]>([
    ['before the response', () => {}],
    ['while its body is read', (held) => held.exchange.requestBody.pipe(new StallingSink())],
    ['while an interim response is sent', (held) => held.exchange.response.informational(103, ['Link', '</a>'])],
    ['with the head on its way', (held) => held.exchange.response.start({ status: 200, headers: [] })],
    [
      'with a body on its way',
      (held) => {
        held.exchange.response.start({ status: 200, headers: [] });
        held.exchange.response.data(Buffer.alloc(16 << 20));
      },
    ],
    [
      'with the end on its way',
      (held) => {
        held.exchange.response.start({ status: 200, headers: [] });
        held.exchange.response.data(Buffer.alloc(16 << 20));
        held.exchange.response.end(['X-T', '1']);
      },
    ],
    ['with a whole response on its way', (held) => held.respond(200, [], 'x'.repeat(1 << 20))],
    ['with a refusal of its upload on its way', (held) => held.respond(413, [], 'x')],
  ])('%s is heard of once, and whatever the engine still does is swallowed', async (_stage, act) => {
    const listener = await startListener({ tls: tls !== undefined });
    for (let turns = 0; turns < 6; turns += 1) {
      const client = await connectTo(listener);
      client.socket.pause();
      client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${1 << 20}\r\n\r\n${'x'.repeat(1000)}`);
      const held = await listener.inbox.next();
      act(held);
      // The reset meets the sending at a different point each time.
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      client.reset();
      held.exchange.response.data(Buffer.from('late'));
      await held.closed();
      held.exchange.response.data(Buffer.from('later'));
      held.exchange.response.end(['X', 'y']);
      held.respond(200, [], 'last');
      held.exchange.requestBody.discard();
      held.exchange.requestBody.unpipe();
    }
    await nothingLeft(listener, listener.inbox.held);
  });

  test.each([0, 1, 2, 3])('in an upgrade, %i turns of the loop after the switch, harms nobody', async (turns) => {
    const listener = await startListener({ tls: tls !== undefined });
    const client = await connectTo(listener);
    client.send('GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    const held = await listener.inbox.next();
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    channel?.source.pipe(new StallingSink());
    channel?.sink.data(Buffer.alloc(16 << 20));
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    client.reset();
    channel?.sink.data(Buffer.from('late'));
    await held.closed();
    channel?.sink.data(Buffer.from('later'));
    channel?.sink.end(null);
    await nothingLeft(listener, [held]);
  });
});

describe('resets around TLS', () => {
  test('in the middle of the handshake harm nobody', async () => {
    const listener = await startListener({ tls: true });
    const hello = Buffer.from('160301010001000000fc0303', 'hex');
    for (let cut = 0; cut <= hello.length; cut += 1) {
      const client = await RawClient.connect({ port: listener.port });
      await client.sendAll(hello.subarray(0, cut));
      client.reset();
    }
    await nothingLeft(listener, []);
  });

  test('of an HTTP/2 connection, whatever its streams are doing, harm nobody', async () => {
    const listener = await startListener({ tls: true });
    for (let turns = 0; turns < 8; turns += 1) {
      const client = await H2Client.connect({ port: listener.port });
      for (const path of ['/open', '/started', '/ended', '/upload']) {
        client.start(
          { ':path': path, ...(path === '/upload' ? { ':method': 'POST' } : {}) },
          path === '/upload' ? Buffer.alloc(1 << 20) : undefined,
        );
      }
      const held = [
        await listener.inbox.next(),
        await listener.inbox.next(),
        await listener.inbox.next(),
        await listener.inbox.next(),
      ];
      for (const { exchange } of held) {
        if (exchange.request.target === '/started') exchange.response.start({ status: 200, headers: [] });
        if (exchange.request.target === '/ended')
          exchange.response.respond({ status: 200, headers: [] }, Buffer.alloc(1 << 20));
        if (exchange.request.target === '/upload') exchange.requestBody.pipe(new StallingSink());
      }
      for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      client.reset();
      for (const { exchange } of held) exchange.response.data(Buffer.from('late'));
      await Promise.all(held.map((each) => each.closed()));
      for (const each of held) each.respond(200, [], 'last');
    }
    await nothingLeft(listener, listener.inbox.held);
  });

  test('a handler that throws costs its connection and is reported, nothing else', async () => {
    const inbox = new ExchangeInbox();
    const listener = await startListener({
      handle: (exchange) => {
        if (exchange.request.target === '/bug') throw new Error('a bug');
        inbox.handle(exchange);
      },
    });
    const client = await RawClient.connect({ port: listener.port });
    client.send('GET /bug HTTP/1.1\r\nHost: a\r\n\r\n');
    await client.closed();
    expect(listener.bugs).toHaveLength(1);
    listener.forgetBugs();
    const other = await RawClient.connect({ port: listener.port });
    other.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    (await inbox.next()).respond(204);
    expect((await other.response()).status).toBe(204);
  });
});
