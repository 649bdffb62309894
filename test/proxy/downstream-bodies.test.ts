import { describe, expect, test } from 'vitest';
import { until } from '../kit/deadline.ts';
import { StallingSink } from '../kit/exchange-inbox.ts';
import { startListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { RawClient } from '../kit/raw-client.ts';

const MIB = 1 << 20;

describe('Expect: 100-continue', () => {
  const head = 'POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n';

  test('100 is sent when the engine asks for the body, and once', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(head);
    const held = await inbox.next();
    held.exchange.sendContinue?.();
    held.exchange.sendContinue?.();
    expect(await client.until('\r\n\r\n')).toBe('HTTP/1.1 100 Continue\r\n\r\n');
    client.send('abc');
    expect((await held.body()).text).toBe('abc');
    held.respond(200, [], 'ok');
    const reply = await client.response();
    expect([reply.text, reply.header('connection')]).toEqual(['ok', 'keep-alive']);
  });

  test('a refusal costs no upload: no 100, the answer, and the end', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(head);
    (await inbox.next()).respond(413, [], 'too large');
    const reply = await client.response();
    expect(reply).toMatchObject({ status: 413, text: 'too large', informational: [] });
    expect(reply.header('connection')).toBe('close');
    client.halfClose();
    expect(await client.closed()).toBe('end');
  });

  test('nothing is to be sent where nothing is expected', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc');
    const held = await inbox.next();
    expect(held.exchange.sendContinue).toBeNull();
    held.respond(204);
    await client.response();
  });
});

describe('back-pressure', () => {
  test('a request body stops at a sink that is full, and goes on when it has room', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${32 * MIB}\r\n\r\n`);
    const held = await inbox.next();
    const sink = new StallingSink();
    held.exchange.requestBody.pipe(sink);
    expect(held.exchange.requestBody.untouched).toBe(true);
    const sent = client.sendAll(Buffer.alloc(32 * MIB));
    await until(() => sink.received > 0, 'the first chunk');
    // The kernel's buffers on both sides and one of ours are all that is taken; then the client's socket backs up.
    await until(() => client.socket.writableLength > 0, 'the client to be held back');
    const held0 = sink.received;
    for (let i = 0; i < 100; i += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(sink.received).toBe(held0);
    expect(held.exchange.requestBody.untouched).toBe(false);
    sink.drain();
    await sent;
    await until(() => sink.ended, 'the end of the body');
    expect(sink.received).toBe(32 * MIB);
    held.respond(204);
    await client.response();
  });

  test('a response stops at a client that does not read, and goes on when it does', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.socket.pause();
    client.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
    const { response } = (await inbox.next()).exchange;
    let drains = 0;
    response.start({ status: 200, headers: ['Content-Length', String(64 * MIB)] });
    const chunk = Buffer.alloc(MIB);
    let given = 0;
    while (given < 64 && response.data(chunk)) given += 1;
    given += 1;
    // Node takes what its buffer and the kernel's hold, and says stop: far from 64 MiB.
    expect(given).toBeLessThan(32);
    response.onDrain = () => {
      drains += 1;
      while (given < 64) {
        given += 1;
        if (!response.data(chunk)) break;
      }
      if (given === 64) response.end(null);
    };
    client.socket.resume();
    expect((await client.response()).body).toHaveLength(64 * MIB);
    expect(drains).toBeGreaterThan(0);
  });

  test('a body that was not touched may be given to another sink', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n');
    const held = await inbox.next();
    const first = new StallingSink();
    held.exchange.requestBody.pipe(first);
    held.exchange.requestBody.unpipe();
    client.send('abc');
    expect((await held.body()).text).toBe('abc');
    expect(first.received).toBe(0);
    held.respond(204);
    await client.response();
  });
});

describe('a response that comes before the end of the upload', () => {
  test('reaches a client that is still sending: the rest is read and dropped for a while', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
    const held = await inbox.next();
    client.send(Buffer.alloc(100_000));
    held.respond(413, [], 'too large');
    const reply = await client.response();
    expect([reply.status, reply.text, reply.header('connection')]).toEqual([413, 'too large', 'close']);
    await held.closed();
    client.halfClose();
    expect(await client.closed()).toBe('end');
  });

  test('but not for ever: beyond 256 KiB nothing more is read', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener } = await startListener({ clock });
    const client = await RawClient.connect({ port });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\n`);
    const held = await inbox.next();
    held.respond(413, [], 'too large');
    await client.response();
    client.send(Buffer.alloc(16 * MIB));
    await until(() => held.exchange.bytesIn > 256 * 1024, 'more than is worth reading');
    for (let turn = 0; turn < 20; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    expect(held.exchange.bytesIn).toBeLessThan(MIB);
    clock.advance(2_100);
    await until(() => listener.connections === 0, 'the connection to be destroyed');
  });

  test('nor for longer than 2 s', async () => {
    const clock = new ManualClock();
    const { port, inbox, listener } = await startListener({ clock });
    const client = await RawClient.connect({ port });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * MIB}\r\n\r\nabc`);
    const held = await inbox.next();
    held.respond(413, [], 'too large');
    await client.response();
    await held.closed();
    clock.advance(1_900);
    expect(listener.connections).toBe(1);
    clock.advance(200);
    await until(() => listener.connections === 0, 'the connection to be destroyed');
  });

  test('a small rest is read, and the connection kept', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nabc');
    (await inbox.next()).respond(401);
    expect((await client.response()).header('connection')).toBe('keep-alive');
    client.send('defGET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    const next = await inbox.next();
    expect(next.exchange.request.target).toBe('/next');
    next.respond(204);
    await client.response();
  });
});

describe('a client that breaks off its upload', () => {
  test.each(['fin', 'reset'] as const)('by %s fails the body and tells the exchange, once', async (how) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc');
    const held = await inbox.next();
    const body = held.body();
    if (how === 'fin') client.destroy();
    else client.reset();
    expect(await body).toMatchObject({ failure: { reason: 'client-gone', status: 499 } });
    await held.closed();
    expect(held.gone).toHaveLength(1);
    expect(held.closes).toBe(1);
    expect(held.exchange.response.phase).toBe('closed');
  });
});
