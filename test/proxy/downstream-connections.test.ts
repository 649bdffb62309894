import { describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { StallingSink } from '../kit/exchange-inbox.ts';
import { hastyClock } from '../kit/hasty-clock.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { exchangeRaw, RawClient } from '../kit/raw-client.ts';

const get = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';

/** Lets what is on the wire arrive, with the clock standing still. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i += 1) await new Promise((resolve) => setImmediate(resolve));
}

describe('a client that leaves', () => {
  test.each(['fin', 'reset'] as const)('by %s before the response is heard of, once', async (how) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(get);
    const held = await inbox.next();
    if (how === 'fin') client.destroy();
    else client.reset();
    expect(await held.left()).toMatchObject({ reason: 'client-gone', blame: 'client' });
    await held.closed();
    held.respond(200, [], 'nobody reads this');
    held.exchange.response.fail(held.gone[0] as never);
    expect([held.gone.length, held.closes]).toEqual([1, 1]);
  });

  test('in the middle of a response is heard of, and further data is swallowed', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(get);
    const held = await inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    held.exchange.response.data(Buffer.from('abc'));
    await client.until('abc');
    client.reset();
    await held.left();
    held.exchange.response.data(Buffer.from('def'));
    held.exchange.response.end(null);
    expect([held.gone.length, held.closes]).toEqual([1, 1]);
  });

  test('with requests still waiting in its pipeline takes them along', async () => {
    const { port, inbox, listener } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(get.repeat(5));
    const held = await inbox.next();
    client.reset();
    await held.closed();
    await until(() => listener.connections === 0, 'the connection to close');
    expect(inbox.held).toHaveLength(1);
  });
});

describe('deadlines', () => {
  const limits = { headTimeout: 10_000, idleTimeout: 75_000, bodyRate: 256 };

  test('a head that comes byte by byte is answered 408 after 10 s', async () => {
    const clock = new ManualClock();
    const { port, refusals } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    for (const byte of 'GET / HTTP') {
      client.send(byte);
      await settle();
      clock.advance(1000);
    }
    expect(refusals).toHaveLength(0);
    clock.advance(1500);
    expect((await client.response()).status).toBe(408);
    expect(await client.closed()).toBe('end');
    expect(refusals).toMatchObject([{ status: 408, reason: 'head-timeout' }]);
  });

  test('the same holds for the second request of a connection', async () => {
    const clock = new ManualClock();
    const { port, inbox } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.send(get);
    (await inbox.next()).respond(204);
    await client.response();
    await settle();
    clock.advance(30_000);
    client.send('GET / HT');
    await settle();
    clock.advance(500);
    clock.advance(9_000);
    client.send('TP');
    await settle();
    clock.advance(2_500);
    expect((await client.response()).status).toBe(408);
  });

  test('a connection that never sends anything is closed without an answer', async () => {
    const clock = new ManualClock();
    const { port, refusals } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    await settle();
    clock.advance(11_000);
    expect(await client.rest()).toBe('');
    expect(refusals).toMatchObject([{ status: 0, reason: 'no-request' }]);
  });

  test('an idle connection outlives the 60 s of common load balancers, and is closed after its own limit', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener, refusals } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.send(get);
    (await inbox.next()).respond(204);
    await client.response();
    await settle();
    clock.advance(70_000);
    client.send(get);
    (await inbox.next()).respond(204);
    await client.response();
    await settle();
    clock.advance(74_000);
    expect(listener.connections).toBe(1);
    clock.advance(3_000);
    expect(await client.closed()).toBe('end');
    expect(refusals).toHaveLength(0);
  });

  test('a body slower than 256 bytes per second over 10 s fails with 408, which can still be answered', async () => {
    const clock = new ManualClock();
    const { port, inbox } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n');
    const held = await inbox.next();
    const body = held.body();
    for (let i = 0; i < 12; i += 1) {
      client.send('x');
      await settle();
      clock.advance(1000);
    }
    expect((await body).failure).toMatchObject({ status: 408, reason: 'body-too-slow' });
    held.respond(408, [], 'too slow');
    const reply = await client.response();
    expect([reply.status, reply.header('connection')]).toEqual([408, 'close']);
  });

  test('a body that the gateway itself holds back is not too slow', async () => {
    const clock = new ManualClock();
    const { port, inbox } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    const held = await inbox.next();
    const sink = new StallingSink();
    held.exchange.requestBody.pipe(sink);
    await until(() => sink.received === 3, 'the first bytes');
    clock.advance(120_000);
    sink.drain();
    client.send('def');
    await until(() => sink.ended, 'the end');
    expect(sink.failure).toBeNull();
    held.respond(204);
    await client.response();
  });

  test('a slow upstream does not count against the client, however long it takes', async () => {
    const clock = new ManualClock();
    const { port, inbox } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.send(get);
    const held = await inbox.next();
    clock.advance(600_000);
    held.respond(200, [], 'late');
    expect((await client.response()).text).toBe('late');
  });

  test('a client that takes nothing of its response for a long time is given up', async () => {
    const clock = new ManualClock();
    const { port, inbox } = await startListener({ clock, limits });
    const client = await RawClient.connect({ port });
    client.socket.pause();
    client.send(get);
    const held = await inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    // More than the kernel's buffers on both sides ever take.
    held.exchange.response.data(Buffer.alloc(32 << 20));
    await settle();
    // A minute, and what 32 MiB take at 4 KiB per second.
    clock.advance(60_000 + 8192_000 + 2_000);
    expect(await held.left()).toMatchObject({ reason: 'client-gone' });
  });
});

describe('caps', () => {
  test('beyond the total, a connection is closed at once and counted as refused', async () => {
    const { port, refusals, inbox } = await startListener({ limits: { connections: 2 } });
    const first = await RawClient.connect({ port });
    await RawClient.connect({ port });
    const third = await RawClient.connect({ port });
    await third.closed();
    expect(refusals).toMatchObject([{ reason: 'connection-limit', status: 0, peer: '127.0.0.1' }]);
    first.send(get);
    (await inbox.next()).respond(204);
    expect((await first.response()).status).toBe(204);
  });

  test('beyond its own share, an address is refused and others are not', async () => {
    const { port, refusals, inbox, listener } = await startListener({ limits: { connectionsPerAddress: 1 } });
    const first = await RawClient.connect({ port });
    const second = await RawClient.connect({ port });
    await second.closed();
    expect(refusals).toMatchObject([{ reason: 'address-connection-limit' }]);
    const other = await RawClient.connect({ port, localAddress: '127.0.0.2' });
    other.send(get);
    const held = await inbox.next();
    expect(held.exchange.client).toMatchObject({ address: '127.0.0.2', peer: '127.0.0.2', trusted: false });
    held.respond(204);
    await other.response();
    first.destroy();
    await until(() => listener.connections === 1, 'the first to be gone');
    expect((await exchangeRawWith(port, inbox)).status).toBe(204);
  });

  async function exchangeRawWith(port: number, inbox: { next(): Promise<{ respond(status: number): void }> }) {
    const reply = exchangeRaw({ port }, get);
    (await inbox.next()).respond(204);
    return reply;
  }
});

describe('a trusted proxy', () => {
  test('names the client of each request', async () => {
    const { port, inbox } = await startListener({ over: { trustedProxies: ['127.0.0.0/8'] } });
    const client = await RawClient.connect({ port });
    for (const address of ['198.51.100.1', '198.51.100.2']) {
      client.send(`GET / HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 6.6.6.6, ${address}\r\n\r\n`);
      const held = await inbox.next();
      expect(held.exchange.client).toMatchObject({ address, peer: '127.0.0.1', trusted: true });
      held.respond(204);
      await client.response();
    }
  });
});

describe('drain', () => {
  test('idle connections close, a response in progress is finished and the last', async () => {
    const { port, inbox, listener } = await startListener({ clock: hastyClock() });
    const idle = await RawClient.connect({ port });
    const busy = await RawClient.connect({ port });
    busy.send(get);
    const held = await inbox.next();
    const drained = listener.drain(10_000);
    expect(await idle.closed()).toBe('end');
    held.respond(200, [], 'done');
    const reply = await busy.response();
    expect([reply.text, reply.header('connection')]).toEqual(['done', 'close']);
    expect(await busy.closed()).toBe('end');
    await drained;
    await expect(RawClient.connect({ port })).rejects.toThrow();
  });

  test('a connection that was opened a moment ago may send its first request', async () => {
    const { port, inbox, listener } = await startListener({ clock: new ManualClock() });
    const client = await RawClient.connect({ port });
    await until(() => listener.connections === 1, 'the connection to be accepted');
    const drained = listener.drain(60_000);
    client.send(get);
    (await inbox.next()).respond(200, [], 'served');
    const reply = await client.response();
    expect([reply.text, reply.header('connection')]).toEqual(['served', 'close']);
    await drained;
  });

  describe.each([
    ['plain, on the fast lane', {}],
    ['plain, without it', { over: { fastLane: false } }],
    ['TLS, on the fast lane', { tls: true }],
    ['TLS, without it', { tls: true, over: { fastLane: false } }],
  ] as const)('%s: after a response whose head has promised more', (_name, options) => {
    async function promised() {
      const clock = new ManualClock();
      const { port, inbox, listener } = await startListener({ clock, ...options });
      const client = await RawClient.connect({ port, ...('tls' in options ? { tls: {} } : {}) });
      client.send(get);
      const held = await inbox.next();
      held.exchange.response.start({ status: 200, headers: [] });
      held.exchange.response.data(Buffer.from('abc'));
      await client.until('abc');
      const drained = listener.drain(60_000);
      held.exchange.response.end(null);
      await client.until('0\r\n\r\n');
      await held.closed();
      return { clock, client, inbox, drained };
    }

    test('one more request is served, and that is the last', async () => {
      const { client, inbox, drained } = await promised();
      client.send(get + get);
      (await inbox.next()).respond(200, [], 'served');
      const reply = await client.response();
      expect([reply.text, reply.header('connection')]).toEqual(['served', 'close']);
      expect(await client.rest()).toBe('');
      client.destroy();
      await drained;
    });

    test('a client that asks for no more is closed soon', async () => {
      const { clock, client, drained } = await promised();
      clock.advance(2_000);
      expect(await client.closed()).toBe('end');
      await drained;
    });
  });

  test('a connection that was busy a moment ago may send one more request', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener } = await startListener({ clock });
    const client = await RawClient.connect({ port });
    client.send(get);
    (await inbox.next()).respond(204);
    await client.response();
    const drained = listener.drain(60_000);
    client.send(get);
    (await inbox.next()).respond(200, [], 'served');
    const reply = await client.response();
    expect([reply.text, reply.header('connection')]).toEqual(['served', 'close']);
    await drained;
  });

  test('what does not finish by the deadline is destroyed', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener } = await startListener({ clock });
    const client = await RawClient.connect({ port });
    client.send(get);
    const held = await inbox.next();
    const drained = listener.drain(5_000);
    clock.advance(5_000);
    await drained;
    await held.left();
    await client.closed();
  });
});

describe('closing', () => {
  test('destroys every connection, and leaves no timer behind', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener } = await startListener({ clock });
    const idle = await RawClient.connect({ port });
    const busy = await RawClient.connect({ port });
    const refused = await RawClient.connect({ port });
    busy.send(get);
    refused.send('nonsense\r\n\r\n');
    const held = await inbox.next();
    await refused.response();
    await listener.close();
    await Promise.all([idle.closed(), busy.closed(), held.left()]);
    expect([listener.connections, clock.pending]).toEqual([0, 0]);
  });
});

describe('opening', () => {
  test('a port in use is the caller’s error, and another listener may have it later', async () => {
    const { port } = await startListener();
    await expect(startListener({ over: { place: { kind: 'tcp', host: '127.0.0.1', port } } })).rejects.toMatchObject({
      code: 'EADDRINUSE',
    });
  });
});
