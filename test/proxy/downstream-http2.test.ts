import { constants } from 'node:http2';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../src/errors.ts';
import { inTime, until } from '../kit/deadline.ts';
import { collect, StallingSink } from '../kit/exchange-inbox.ts';
import { H2Client } from '../kit/h2-client.ts';
import { startListener, type TestListener } from '../kit/listener.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { RawClient } from '../kit/raw-client.ts';

const incomplete = new GatewayError('http_response_incomplete', {
  blame: 'upstream',
  status: 502,
  reason: 'upstream-reset',
});

async function started(
  options: Parameters<typeof startListener>[0] = {},
): Promise<{ listener: TestListener; client: H2Client }> {
  const listener = await startListener({ tls: true, ...options });
  return { listener, client: await H2Client.connect({ port: listener.port }) };
}

describe('HTTP/2 requests', () => {
  test('fields keep their order and repeats, cookie crumbs become one', async () => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/a?b', 'x-dup': ['1', '2'], cookie: ['a=1', 'b=2'], accept: '*/*' });
    const held = await listener.inbox.next();
    expect(held.exchange.request).toMatchObject({ method: 'GET', target: '/a?b', version: '2', scheme: 'https' });
    expect(held.exchange.request.authority).toBe(`127.0.0.1:${listener.port}`);
    expect(held.exchange.request.headers).toEqual(['x-dup', '1', 'x-dup', '2', 'cookie', 'a=1; b=2', 'accept', '*/*']);
    expect(held.exchange.requestBody.length).toBe(0);
    held.respond(204);
    expect((await reply).status).toBe(204);
    await held.closed();
  });

  test('a body and its trailers are delivered', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/', ':method': 'POST', 'content-length': '6' }, null);
    request.stream.write('abc');
    const held = await listener.inbox.next();
    expect(held.exchange.requestBody.length).toBe(6);
    request.stream.end('def');
    expect(await held.body()).toMatchObject({ text: 'abcdef', failure: null });
    held.respond(200, [], 'ok');
    expect((await request.response()).text).toBe('ok');
    expect([held.exchange.bytesIn, held.exchange.bytesOut]).toEqual([6, 2]);
  });

  test('trailers of a request come with its end', async () => {
    const { listener, client } = await started();
    const stream = client.session.request({ ':path': '/', ':method': 'POST' }, { waitForTrailers: true });
    stream.on('wantTrailers', () => stream.sendTrailers({ 'x-sum': '1' }));
    stream.end('abc');
    const held = await listener.inbox.next();
    expect(await held.body()).toMatchObject({ text: 'abc', trailers: ['x-sum', '1'] });
    held.respond(204);
    await held.closed();
  });

  test.each([
    ['a Host that differs from :authority', { host: 'evil.test', ':authority': 'shop.test' }, 400],
    ['a fragment', { ':path': '/a#b' }, 400],
    ['a field of more than the limit', { 'x-a': 'x'.repeat(20_000) }, 431],
    ['more fields than the limit', Object.fromEntries(Array.from({ length: 120 }, (_, i) => [`x-${i}`, '1'])), 431],
    ['an expectation that nobody can meet', { expect: 'magic' }, 417],
    ['CONNECT', { ':method': 'CONNECT', ':path': undefined, ':scheme': undefined, ':authority': 'a:443' }, 501],
  ])('%s is refused on its stream alone', async (_name, headers, status) => {
    const { listener, client } = await started();
    const reply = await client.request({ ':path': '/', ...headers });
    expect(reply.status).toBe(status);
    expect(reply.header('proxy-status')).toBe('headgate; error=http_request_error');
    expect(listener.refusals).toMatchObject([{ status }]);
    const next = client.request({ ':path': '/' });
    (await listener.inbox.next()).respond(204);
    expect((await next).status).toBe(204);
  });

  test('Expect: 100-continue is answered when the engine asks for the body', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/', ':method': 'POST', expect: '100-continue' }, null);
    const held = await listener.inbox.next();
    const continued = new Promise((resolve) => {
      request.stream.once('continue', () => resolve('continue'));
    });
    held.exchange.sendContinue?.();
    held.exchange.sendContinue?.();
    expect(await inTime(continued, '100')).toBe('continue');
    request.stream.end('abc');
    expect((await held.body()).text).toBe('abc');
    held.respond(204);
    await request.response();
  });

  test('a body stops at a sink that is full, and goes on when it has room', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/', ':method': 'POST' }, Buffer.alloc(8 << 20));
    const held = await listener.inbox.next();
    const sink = new StallingSink();
    held.exchange.requestBody.pipe(sink);
    await until(() => sink.received > 0, 'the first bytes');
    const other = client.request({ ':path': '/other' });
    (await listener.inbox.next()).respond(204);
    expect((await other).status).toBe(204);
    expect(sink.received).toBeLessThan(1 << 20);
    sink.drain();
    await until(() => sink.ended, 'the end');
    expect(sink.received).toBe(8 << 20);
    held.respond(204);
    await request.response();
  });
});

describe('HTTP/2 responses', () => {
  test('names are in lower case, repeats stay, fields of a connection and of HTTP/1.1 go', async () => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/' });
    (await listener.inbox.next()).respond(
      200,
      [
        'Set-Cookie',
        'a=1',
        'Connection',
        'close',
        'Keep-Alive',
        'timeout=9',
        'Transfer-Encoding',
        'chunked',
        'Upgrade',
        'h2c',
        'set-cookie',
        'b=2',
        'ETag',
        '"x"',
        'etag',
        '"y"',
        'Date',
        'long ago',
      ],
      'x',
    );
    expect((await reply).headers).toEqual([
      'set-cookie',
      'a=1',
      'set-cookie',
      'b=2',
      'etag',
      '"x"',
      'etag',
      '"y"',
      'date',
      'long ago',
      'content-length',
      '1',
    ]);
  });

  test('1xx, body and trailers arrive as they were given', async () => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/' });
    const { response } = (await listener.inbox.next()).exchange;
    response.informational(103, ['Link', '</a>; rel=preload', 'link', '</b>']);
    response.start({ status: 200, headers: ['Content-Type', 'application/grpc'] });
    response.data(Buffer.from('abc'));
    response.data(Buffer.from('def'));
    response.end(['grpc-status', '0', 'X-Dup', '1', 'x-dup', '2']);
    const { informational, text, trailers, resetCode } = await reply;
    expect(informational).toEqual([{ status: 103, fields: ['link', '</a>; rel=preload', 'link', '</b>'] }]);
    expect([text, resetCode]).toEqual(['abcdef', 0]);
    expect(trailers).toEqual(['grpc-status', '0', 'x-dup', '1', 'x-dup', '2']);
  });

  test.each([
    ['HEAD', 'HEAD', 200, ['Content-Length', '5'], '5'],
    ['304', 'GET', 304, ['ETag', '"x"', 'Content-Length', '5'], '5'],
    ['204', 'GET', 204, ['Content-Length', '0'], null],
  ])('%s has no body', async (_name, method, status, headers, length) => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/', ':method': method });
    const held = await listener.inbox.next();
    held.exchange.response.start({ status, headers });
    held.exchange.response.data(Buffer.from('hello'));
    held.exchange.response.end(null);
    const got = await reply;
    expect([got.status, got.text, got.header('content-length'), got.resetCode]).toEqual([status, '', length, 0]);
    await held.closed();
    expect(held.gone).toHaveLength(0);
  });

  test('a failure after the head resets the stream with INTERNAL_ERROR, not the session', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/' });
    const held = await listener.inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    held.exchange.response.data(Buffer.from('abc'));
    expect(await request.head()).toBe(200);
    held.exchange.response.fail(incomplete);
    expect((await request.response()).resetCode).toBe(constants.NGHTTP2_INTERNAL_ERROR);
    await held.closed();
    const next = client.request({ ':path': '/' });
    (await listener.inbox.next()).respond(204);
    expect((await next).status).toBe(204);
  });

  test('fewer bytes than announced are not a clean end', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/' });
    const { response } = (await listener.inbox.next()).exchange;
    response.start({ status: 200, headers: ['Content-Length', '10'] });
    response.data(Buffer.from('abc'));
    expect(await request.head()).toBe(200);
    response.end(null);
    expect((await request.response()).resetCode).not.toBe(0);
  });

  test('a head that would break the message becomes a 502', async () => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/' });
    (await listener.inbox.next()).respond(200, ['X-A', 'a\r\nb'], 'x');
    expect((await reply).status).toBe(502);
  });

  test('an answer before the end of the upload reaches the client, which is told to stop a little later', async () => {
    const clock = new ManualClock();
    const { listener, client } = await started({ clock });
    const request = client.start({ ':path': '/', ':method': 'POST' }, null);
    request.stream.write(Buffer.alloc(1000));
    const held = await listener.inbox.next();
    held.respond(413, [], 'too large');
    expect(await request.head()).toBe(413);
    await held.closed();
    expect(held.gone).toHaveLength(0);
    clock.advance(4_000);
    const reply = await request.response();
    expect([reply.text, reply.resetCode]).toEqual(['too large', constants.NGHTTP2_NO_ERROR]);
  });

  test('an upload that goes on after its answer is stopped after 256 KiB', async () => {
    const { listener, client } = await started({ clock: new ManualClock() });
    const request = client.start({ ':path': '/', ':method': 'POST' }, Buffer.alloc(8 << 20));
    (await listener.inbox.next()).respond(413, [], 'too large');
    const reply = await request.response();
    expect([reply.status, reply.text, reply.resetCode]).toEqual([413, 'too large', constants.NGHTTP2_NO_ERROR]);
  });

  test.each([[302], [401]])(
    'an empty %i before the end of a small upload is not overtaken by a reset',
    async (status) => {
      const { listener, client } = await started({ clock: new ManualClock() });
      const request = client.start({ ':path': '/', ':method': 'POST' }, 'dropped');
      (await listener.inbox.next()).respond(status);
      expect(await request.response()).toMatchObject({ status, text: '', resetCode: 0 });
    },
  );

  test('a response stops at a client that does not read, and others go on', async () => {
    const { listener, client } = await started();
    const request = client.start({ ':path': '/big' });
    request.stream.pause();
    const { response } = (await listener.inbox.next()).exchange;
    response.start({ status: 200, headers: [] });
    let given = 0;
    const give = (): void => {
      while (given < 16) {
        given += 1;
        if (!response.data(Buffer.alloc(1 << 20))) return;
      }
      response.end(null);
    };
    response.onDrain = give;
    give();
    expect(given).toBeLessThan(16);
    const other = client.request({ ':path': '/other' });
    (await listener.inbox.next()).respond(204);
    expect((await other).status).toBe(204);
    expect(given).toBeLessThan(16);
    request.stream.resume();
    expect((await request.response()).body).toHaveLength(16 << 20);
  });
});

describe('HTTP/2 clients that leave', () => {
  test('a reset stream is heard of, once, and everything done to it afterwards is swallowed', async () => {
    const { listener, client } = await started();
    // More than the window holds: Node's client ends its side before a reset if it can.
    const request = client.start({ ':path': '/', ':method': 'POST' }, Buffer.alloc(8 << 20));
    const held = await listener.inbox.next();
    const sink = new StallingSink();
    held.exchange.requestBody.pipe(sink);
    await until(() => sink.received > 0, 'the first bytes');
    request.reset();
    expect(await held.left()).toMatchObject({ reason: 'client-gone' });
    expect(sink.failure).toMatchObject({ reason: 'client-gone' });
    expect(sink.ended).toBe(false);
    await held.closed();
    const { response } = held.exchange;
    response.informational(103, []);
    response.start({ status: 200, headers: [] });
    response.data(Buffer.from('x'));
    response.end(['a', 'b']);
    response.respond({ status: 200, headers: [] }, null);
    response.fail(incomplete);
    expect([held.gone.length, held.closes]).toEqual([1, 1]);
  });

  test.each(['open', 'started'] as const)(
    'a stream that is reset in the same moment (%s) harms nobody',
    async (phase) => {
      const { listener, client } = await started();
      for (let i = 0; i < 20; i += 1) {
        const request = client.start({ ':path': '/' });
        const held = await listener.inbox.next();
        if (phase === 'started') held.exchange.response.start({ status: 200, headers: [] });
        request.reset();
        // The reset may arrive before, between or after these.
        for (let turn = 0; turn < i; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        if (phase === 'open') held.respond(200, [], 'x');
        held.exchange.response.data(Buffer.from('x'));
        held.exchange.response.end(['a', 'b']);
        await held.closed();
      }
    },
  );

  test('a session that dies takes all its streams along', async () => {
    const { listener, client } = await started();
    client.start({ ':path': '/1' });
    client.start({ ':path': '/2' });
    const [one, two] = [await listener.inbox.next(), await listener.inbox.next()];
    two.exchange.response.start({ status: 200, headers: [] });
    client.session.destroy();
    await Promise.all([one.left(), two.left(), one.closed(), two.closed()]);
    await until(() => listener.listener.connections === 0, 'the connection to be gone');
  });
});

describe('HTTP/2 sessions', () => {
  test('drain: GOAWAY, streams in progress finish, the session ends', async () => {
    const { listener, client } = await started();
    const reply = client.request({ ':path': '/' });
    const held = await listener.inbox.next();
    const drained = listener.listener.drain(10_000);
    await until(() => client.goaways.length > 0, 'GOAWAY');
    expect(client.goaways[0]).toBe(constants.NGHTTP2_NO_ERROR);
    held.respond(200, [], 'done');
    expect((await reply).text).toBe('done');
    await client.closed();
    await drained;
  });

  test('a stream that was on its way when the drain began is served', async () => {
    const { listener, client } = await started({ clock: new ManualClock() });
    const reply = client.request({ ':path': '/' });
    const drained = listener.listener.drain(60_000);
    (await listener.inbox.next()).respond(200, [], 'served');
    expect((await reply).text).toBe('served');
    await drained;
  });

  test('an idle session is closed after its limit', async () => {
    const clock = new ManualClock();
    const { listener, client } = await started({ clock, limits: { idleTimeout: 75_000 } });
    const reply = client.request({ ':path': '/' });
    const held = await listener.inbox.next();
    clock.advance(50_000);
    held.respond(200, [], 'late');
    expect((await reply).text).toBe('late');
    await held.closed();
    clock.advance(74_000);
    expect(client.session.closed).toBe(false);
    clock.advance(3_000);
    await client.closed();
  });

  test('a request body that comes too slowly fails with 408', async () => {
    const clock = new ManualClock();
    const { listener, client } = await started({ clock, limits: { bodyRate: 256 } });
    const request = client.start({ ':path': '/', ':method': 'POST' }, null);
    request.stream.write('x');
    const held = await listener.inbox.next();
    const body = held.body();
    await until(() => held.exchange.bytesIn === 1, 'the first byte');
    clock.advance(12_000);
    expect((await body).failure).toMatchObject({ status: 408, reason: 'body-too-slow' });
    held.respond(408);
    expect(await request.head()).toBe(408);
    clock.advance(4_000);
    await request.response();
  });

  test('a client that waits in silence is asked whether it is still there, and one that is may wait on', async () => {
    const clock = new ManualClock();
    const { listener, client } = await started({ clock });
    const reply = client.request({ ':path': '/long-poll' });
    const held = await listener.inbox.next();
    for (let minute = 0; minute < 5; minute += 1) {
      const asked = new Promise((resolve) => {
        client.session.once('ping', resolve);
      });
      clock.advance(62_000);
      await inTime(asked, 'a PING');
      // Frames arrive in order: when this is answered, the listener has read the answer to its own.
      await inTime(new Promise((resolve) => client.session.ping(resolve)), 'the answer to a PING of ours');
    }
    held.respond(200, [], 'at last');
    expect((await reply).text).toBe('at last');
  });

  test('a client that vanished without a word is given up, with all its streams', async () => {
    const clock = new ManualClock();
    const listener = await startListener({ tls: true, clock });
    const client = await RawClient.connect({ port: listener.port, tls: { alpn: ['h2'] } });
    // Preface, SETTINGS, and HEADERS of a GET; then not even an answer to a PING.
    client.send('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
    client.send(Buffer.from('000000040000000000' + '000006010500000001' + '828784410161', 'hex'));
    const held = await listener.inbox.next();
    clock.advance(62_000);
    expect(held.gone).toHaveLength(0);
    // The PING: nine bytes of head, 06 its type.
    await client.until('\x06\x00\x00\x00\x00\x00');
    clock.advance(16_000);
    await held.left();
    await until(() => listener.listener.connections === 0, 'the connection to be gone');
  });

  test('a client that does not open its window is given up', async () => {
    const clock = new ManualClock();
    const { listener, client } = await started({ clock });
    const request = client.start({ ':path': '/' });
    request.stream.pause();
    const held = await listener.inbox.next();
    held.exchange.response.start({ status: 200, headers: [] });
    held.exchange.response.data(Buffer.alloc(4 << 20));
    expect(await request.head()).toBe(200);
    clock.advance(60_000 + 1024_000 + 2_000);
    await held.left();
  });
});

describe('RFC 8441: extended CONNECT', () => {
  const chat = {
    ':method': 'CONNECT',
    ':protocol': 'websocket',
    ':path': '/chat',
    ':scheme': 'https',
    'sec-websocket-version': '13',
  };

  test('is an upgrade offer with what an HTTP/1.1 handshake needs, and a tunnel on its stream', async () => {
    const { listener, client } = await started();
    const request = client.start(chat, null);
    request.stream.write('first,');
    const held = await listener.inbox.next();
    expect(held.exchange.request).toMatchObject({ method: 'GET', target: '/chat' });
    expect(held.exchange.upgrade?.protocol).toBe('websocket');
    const { headers } = held.exchange.request;
    expect(headers[headers.indexOf('sec-websocket-key') + 1]).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    const channel = held.exchange.upgrade?.accept({
      status: 101,
      headers: ['Sec-WebSocket-Accept', 'y', 'Sec-WebSocket-Protocol', 'z'],
    });
    if (channel === undefined) throw new Error('No upgrade was offered');
    const received = collect(channel.source);
    expect(await request.head()).toBe(200);
    request.stream.end('second');
    expect(await inTime(received, 'the end')).toMatchObject({ text: 'first,second', failure: null });
    channel.sink.data(Buffer.from('hello'));
    channel.sink.end(null);
    const reply = await request.response();
    expect([reply.text, reply.header('sec-websocket-accept'), reply.header('sec-websocket-protocol')]).toEqual([
      'hello',
      null,
      'z',
    ]);
    expect([held.exchange.bytesIn, held.exchange.bytesOut]).toEqual([12, 5]);
  });

  test('may be refused like any request', async () => {
    const { listener, client } = await started();
    const request = client.start(chat, null);
    (await listener.inbox.next()).respond(403, [], 'no');
    expect(await request.head()).toBe(403);
    request.stream.end();
    expect((await request.response()).text).toBe('no');
  });

  test('reset by the client fails the tunnel, once', async () => {
    const { listener, client } = await started();
    const request = client.start(chat, null);
    const held = await listener.inbox.next();
    const channel = held.exchange.upgrade?.accept({ status: 101, headers: [] });
    const sink = new StallingSink();
    channel?.source.pipe(sink);
    await request.head();
    // More than the window holds: Node's client ends its side before a reset if it can.
    request.stream.write(Buffer.alloc(8 << 20));
    await until(() => sink.received > 0, 'the first bytes');
    request.reset();
    await until(() => sink.failure !== null, 'the failure');
    expect(sink.failure).toMatchObject({ reason: 'client-gone' });
    channel?.sink.data(Buffer.from('x'));
    channel?.sink.end(null);
  });

  test('reset during the handshake is heard of', async () => {
    const { listener, client } = await started();
    const request = client.start(chat, null);
    const held = await listener.inbox.next();
    request.reset();
    await held.left();
    await held.closed();
    held.exchange.upgrade?.accept({ status: 101, headers: [] }).sink.data(Buffer.from('x'));
  });
});
