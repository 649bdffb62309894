import { describe, expect, test } from 'vitest';
import { inTime, until } from '../kit/deadline.ts';
import { collect, StallingSink } from '../kit/exchange-inbox.ts';
import { startListener } from '../kit/listener.ts';
import { RawClient } from '../kit/raw-client.ts';

const upgrade =
  'GET /chat HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: x\r\n\r\n';

describe('an upgrade', () => {
  test('is an offer: nothing is switched before the engine accepts', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const { exchange } = await inbox.next();
    expect(exchange.upgrade?.protocol).toBe('websocket');
    expect(exchange.request.headers).toEqual([
      'Host',
      'a',
      'Connection',
      'Upgrade',
      'Upgrade',
      'websocket',
      'Sec-WebSocket-Key',
      'x',
    ]);
    expect(exchange.requestBody.length).toBe(0);
    exchange.upgrade?.accept({
      status: 101,
      headers: ['Upgrade', 'websocket', 'connection', 'upgrade', 'Sec-WebSocket-Accept', 'y'],
    });
    expect(await client.until('\r\n\r\n')).toBe(
      'HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nconnection: upgrade\r\nSec-WebSocket-Accept: y\r\n\r\n',
    );
  });

  test('gets the two fields of a switch where the endpoint’s were taken off on the way', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    (await inbox.next()).exchange.upgrade?.accept({ status: 101, headers: ['X-A', '1'] });
    expect((await client.response()).headers).toEqual(['Connection', 'Upgrade', 'Upgrade', 'websocket', 'X-A', '1']);
  });

  test('bytes go both ways, none is lost: neither those sent with the request nor those before the switch', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`${upgrade}first,`);
    const held = await inbox.next();
    client.send('second,');
    await until(
      () => held.exchange.bytesIn === 0 && client.socket.bytesWritten > upgrade.length + 10,
      'the early bytes to be sent',
    );
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    if (channel === undefined) throw new Error('No upgrade was offered');
    channel.sink.data(Buffer.from('hello'));
    await client.until('\r\n\r\n');
    expect(await client.bytes(5)).toBe('hello');
    const received = collect(channel.source);
    client.send('third');
    client.halfClose();
    expect(await inTime(received, 'the end')).toMatchObject({ text: 'first,second,third', failure: null });
    expect(held.closes).toBe(0);
    channel.sink.end(null);
    expect(await client.closed()).toBe('end');
    await held.closed();
    expect([held.exchange.bytesIn, held.exchange.bytesOut]).toEqual([18, 5]);
    expect(held.closes).toBe(1);
  });

  test('a tunnel is held back by a sink that is full', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const channel = (await inbox.next()).exchange.upgrade?.accept({ status: 101, headers: [] });
    await client.until('\r\n\r\n');
    const sink = new StallingSink();
    channel?.source.pipe(sink);
    const sent = client.sendAll(Buffer.alloc(32 << 20));
    await until(() => sink.received > 0 && client.socket.writableLength > 0, 'the client to be held back');
    expect(sink.received).toBeLessThan(1 << 20);
    sink.drain();
    await sent;
    await until(() => sink.received === 32 << 20, 'the rest');
  });

  test('a client that resets a tunnel fails its source, once', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const held = await inbox.next();
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    await client.until('\r\n\r\n');
    const sink = new StallingSink();
    sink.open = true;
    channel?.source.pipe(sink);
    client.reset();
    await held.closed();
    expect(sink.failure).toMatchObject({ reason: 'client-gone' });
    channel?.sink.data(Buffer.from('x'));
    channel?.sink.end(null);
  });

  test('a failing tunnel is cut, not ended', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const held = await inbox.next();
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    await client.until('\r\n\r\n');
    channel?.sink.fail(held.gone[0] as never);
    await client.closed();
    await held.closed();
  });
});

describe('an upgrade that the endpoint refuses', () => {
  test('is an ordinary response, and the last on its connection', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const held = await inbox.next();
    held.respond(401, ['WWW-Authenticate', 'Basic'], 'no');
    const reply = await client.response();
    expect(reply).toMatchObject({ status: 401, text: 'no', complete: true });
    expect([reply.header('www-authenticate'), reply.header('connection')]).toEqual(['Basic', 'close']);
    expect(await client.closed()).toBe('end');
    await held.closed();
    expect(held.gone).toHaveLength(0);
  });

  test('a large refusal is held back by a slow client like any other', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.socket.pause();
    client.send(upgrade);
    const { response } = (await inbox.next()).exchange;
    response.start({ status: 403, headers: ['Content-Length', String(32 << 20)] });
    let given = 0;
    const give = (): void => {
      while (given < 32) {
        given += 1;
        if (!response.data(Buffer.alloc(1 << 20))) return;
      }
      response.end(null);
    };
    response.onDrain = give;
    give();
    expect(given).toBeLessThan(32);
    client.socket.resume();
    expect((await client.response()).body).toHaveLength(32 << 20);
  });
});

describe('a client that leaves during the handshake', () => {
  test.each(['fin', 'reset'] as const)('by %s is heard of, once, and accepting then does no harm', async (how) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(upgrade);
    const held = await inbox.next();
    if (how === 'fin') client.halfClose();
    else client.reset();
    await held.left();
    await held.closed();
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    const sink = new StallingSink();
    channel?.source.pipe(sink);
    channel?.sink.data(Buffer.from('x'));
    channel?.sink.end(null);
    expect([held.gone.length, held.closes]).toEqual([1, 1]);
    expect(sink.ended || sink.failure !== null).toBe(true);
  });
});

describe('upgrades that are none', () => {
  test.each([
    [
      'h2c, as curl --http2 asks',
      'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\n\r\n',
      '',
    ],
    ['TLS', 'Connection: Upgrade\r\nUpgrade: TLS/1.0\r\n\r\n', ''],
    ['a request with a body', 'Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 3\r\n\r\nabc', 'abc'],
  ])('%s is served as plain HTTP/1.1, and the connection lives on', async (_name, fields, body) => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\n${fields}`);
    const held = await inbox.next();
    expect(held.exchange.upgrade).toBeNull();
    expect((await held.body()).text).toBe(body);
    held.respond(200, [], 'plain');
    expect((await client.response()).text).toBe('plain');
    client.send('GET /next HTTP/1.1\r\nHost: a\r\n\r\n');
    (await inbox.next()).respond(200, [], 'next');
    expect((await client.response()).text).toBe('next');
  });

  test('one that is pipelined behind another request does not overtake it', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send(`GET /1 HTTP/1.1\r\nHost: a\r\n\r\n${upgrade}`);
    const first = await inbox.next();
    first.respond(200, [], 'one');
    const second = await inbox.next();
    expect(second.exchange.upgrade).toBeNull();
    second.respond(426, [], 'two');
    expect([(await client.response()).text, (await client.response()).text]).toEqual(['one', 'two']);
  });

  test('a malformed upgrade request is refused like any other', async () => {
    const { port, inbox } = await startListener();
    const client = await RawClient.connect({ port });
    client.send('GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
    expect((await client.response()).status).toBe(400);
    expect(await client.closed()).toBe('end');
    expect(inbox.held).toHaveLength(0);
  });
});
