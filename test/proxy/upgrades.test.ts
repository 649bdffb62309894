import { once } from 'node:events';
import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import { handshake } from '../kit/upgrade.ts';

const h1 = { without: HTTP1_ONLY };

matrix(
  'an upgrade becomes a tunnel of bytes',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write(handshake('/ws?x=1', 'Sec-WebSocket-Protocol: chat\r\n'));
    const head = await client.expect().head();
    expect([head.status, head.header('upgrade'), head.header('connection')?.toLowerCase()]).toEqual([
      ...[101, 'websocket', 'upgrade'],
    ]);
    client.write('hello');
    expect(String(await client.reader.read(5))).toBe('hello');
    const received = await shop.request();
    expect(received.target).toBe('/ws?x=1');
    expect([received.header('upgrade'), received.header('connection')]).toEqual(['websocket', 'upgrade']);
    expect(received.header('sec-websocket-key')).toBe('dGhlIHNhbXBsZSBub25jZQ==');
    expect(received.header('sec-websocket-protocol')).toBe('chat');
    expect(received.header('x-forwarded-for')).toBe('127.0.0.1');
    client.close();
    await shop.idle();
  },
  h1,
);

matrix(
  'the first bytes of both sides are never lost',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', { upgrade: 'websocket', first: 'welcome ' }, 'echo'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    // In one packet with the request: RFC 6455 forbids it, other protocols do it.
    client.write(`${handshake()}early`);
    expect((await client.expect().head()).status).toBe(101);
    expect(String(await client.reader.read(13))).toBe('welcome early');
  },
  h1,
);

matrix(
  'a megabyte goes through a tunnel in both directions',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write(handshake());
    await client.expect().head();
    const sent = Buffer.alloc(1 << 20, 'abcdefgh');
    client.write(sent);
    expect((await client.reader.read(sent.length)).equals(sent)).toBe(true);
    client.close();
    const record = await front.gateway.nextRecord();
    expect([record.status, record.bytesIn >= sent.length, record.bytesOut >= sent.length]).toEqual([101, true, true]);
  },
  h1,
);

for (const status of [401, 403, 426]) {
  matrix(
    `the endpoint’s refusal of an upgrade with ${status} is passed on as it is`,
    async ({ gateway, origin }) => {
      const shop = await origin({
        script: [{ respond: status, headers: ['WWW-Authenticate', 'Basic realm="x"'], body: 'no' }],
      });
      const front = await gateway(forwardTo(shop));
      const reply = await (await front.raw(handshake())).reply();
      expect([reply.status, reply.text, reply.ended]).toEqual([status, 'no', 'clean']);
      expect(reply.header('www-authenticate')).toBe('Basic realm="x"');
      expect(reply.header('upgrade')).toBeNull();
    },
    h1,
  );
}

matrix(
  'an endpoint that ignores the upgrade just answers',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin({ script: [{ respond: 200, body: 'plain' }] })));
    const reply = await (await front.raw(handshake())).reply();
    expect([reply.status, reply.text, reply.ended]).toEqual([200, 'plain', 'clean']);
  },
  h1,
);

matrix(
  'an upgrade to an endpoint that is down is 502',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    await shop.close();
    const reply = await (await front.raw(handshake())).reply();
    expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=connection_refused']);
  },
  h1,
);

matrix(
  'an upgrade takes the same routes and policies as any request',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(
      forwardTo(shop, {
        route: {
          match: { path: '/live/**' },
          rewrite: { stripPrefix: '/live' },
          requestHeaders: { set: { 'X-Set': '1' } },
          responseHeaders: { set: { 'X-Answer': '2' } },
        },
      }),
    );
    const client = await front.connectHttp1();
    client.write(handshake('/live/ws'));
    const head = await client.expect().head();
    expect([head.status, head.header('x-answer')]).toEqual([101, '2']);
    const received = await shop.request();
    expect([received.target, received.header('x-set')]).toEqual(['/ws', '1']);
    const refused = await front.raw(handshake('/elsewhere'));
    expect((await refused.reply()).status).toBe(404);
  },
  h1,
);

for (const how of ['end', 'reset'] as const) {
  matrix(
    `when the endpoint’s side of a tunnel ends by ${how}, the client’s ends too`,
    async ({ gateway, origin }) => {
      const shop = await origin({ script: ['read head', 'upgrade', 'read 3 bytes', { send: 'bye' }, how] });
      const front = await gateway(forwardTo(shop));
      const client = await front.connectHttp1();
      client.write(handshake());
      await client.expect().head();
      client.write('abc');
      await client.dismissed();
      if (how === 'end') client.socket.end();
      const record = await front.gateway.nextRecord();
      expect(record.status).toBe(101);
      expect(record.end).toMatchObject({ side: 'upstream', reason: how === 'end' ? 'complete' : 'tunnel-closed' });
      await shop.idle();
    },
    h1,
  );

  matrix(
    `when the client’s side of a tunnel ends by ${how}, the endpoint’s ends too`,
    async ({ gateway, origin }) => {
      const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
      const front = await gateway(forwardTo(shop));
      const client = await front.connectHttp1();
      client.write(handshake());
      await client.expect().head();
      client.write('abc');
      await client.reader.read(3);
      if (how === 'end') client.socket.end();
      else client.reset();
      await shop.idle();
      expect((await front.gateway.nextRecord()).status).toBe(101);
    },
    h1,
  );
}

matrix(
  'what one side still has to say after the other has ended arrives',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'read end', { send: 'last words' }, 'end'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write(handshake());
    await client.expect().head();
    client.socket.end();
    expect(String(await client.reader.read(10))).toBe('last words');
    await client.dismissed();
    expect((await front.gateway.nextRecord()).end).toMatchObject({ reason: 'complete' });
  },
  // A TLS client of Node takes nothing any more after it has sent its end.
  { without: { ...HTTP1_ONLY, 'h1-tls': 'Node’s TLS client can’t half-close' } },
);

matrix(
  'a client that leaves during the handshake takes the upstream connection with it',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'silent'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp1();
    client.write(handshake());
    await shop.request();
    client.reset();
    await shop.idle();
    expect(await front.gateway.nextRecord()).toMatchObject({ status: 499, end: { side: 'client' } });
  },
  h1,
);

matrix(
  'a tunnel that is silent for too long is closed',
  async ({ gateway, origin }) => {
    const clock = new ManualClock(Date.now());
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(shop, { route: { timeouts: { tunnelIdle: '5m' } } }), { clock });
    const client = await front.connectHttp1();
    client.write(handshake());
    await client.expect().head();
    clock.advance(4 * 60_000);
    client.write('x');
    await client.reader.read(1);
    clock.advance(4 * 60_000);
    expect(front.gateway.records).toEqual([]);
    clock.advance(61_000);
    await client.dismissed();
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'gateway', reason: 'tunnel-idle-timeout' });
    await shop.idle();
  },
  h1,
);

for (const upgrade of ['h2c', 'TLS/1.2', 'h2c, websocket']) {
  matrix(
    `"Upgrade: ${upgrade}" is ignored and the request answered as HTTP/1.1`,
    async ({ gateway, origin }) => {
      const shop = await origin();
      const front = await gateway(forwardTo(shop));
      const client = await front.connectHttp1();
      client.write(
        `GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n`,
      );
      const reply = await client.expect().reply();
      expect([reply.status, reply.text]).toEqual([200, 'ok\n']);
      const received = await shop.request();
      expect([received.header('upgrade'), received.header('http2-settings')]).toEqual([null, null]);
      client.write('GET /2 HTTP/1.1\r\nHost: shop.test\r\n\r\n');
      expect((await client.expect().reply()).status).toBe(200);
    },
    h1,
  );
}

matrix(
  'an extended CONNECT of HTTP/2 becomes an HTTP/1.1 upgrade upstream, and a tunnel',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', { upgrade: 'websocket', first: 'welcome ' }, 'echo'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp2();
    const stream = client.stream(CONNECT, { endStream: false });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(200);
    expect(headers['sec-websocket-accept']).toBeUndefined();
    stream.write('hello');
    let text = '';
    for await (const chunk of stream) {
      text += chunk;
      if (text.length === 13) stream.end();
    }
    expect(text).toBe('welcome hello');
    const received = await shop.request();
    expect(received.lines[0]).toBe('GET /ws HTTP/1.1');
    expect([received.header('upgrade'), received.header('connection')]).toEqual(['websocket', 'upgrade']);
    expect(received.header('sec-websocket-key')).toMatch(/^[A-Za-z0-9+/]{22}==$/);
    await shop.idle();
    expect((await front.gateway.nextRecord()).end).toMatchObject({ reason: 'complete', error: null });
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an extended CONNECT that the endpoint refuses gets that answer',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: [{ respond: 403, body: 'no' }] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp2();
    const stream = client.stream(CONNECT, { endStream: false });
    const [headers] = await once(stream, 'response');
    expect(headers[':status']).toBe(403);
    let text = '';
    for await (const chunk of stream) text += chunk;
    expect(text).toBe('no');
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an HTTP/2 client that resets its tunnel takes the upstream connection with it',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'echo'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp2();
    const stream = client.stream(CONNECT, { endStream: false });
    await once(stream, 'response');
    client.close();
    await shop.idle();
    await front.gateway.nextRecord();
  },
  { without: HTTP2_ONLY },
);

matrix(
  'an HTTP/2 stream whose endpoint resets the tunnel is reset',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', 'upgrade', 'read 1 bytes', 'reset'] });
    const front = await gateway(forwardTo(shop));
    const client = await front.connectHttp2();
    const stream = client.stream(CONNECT, { endStream: false });
    await once(stream, 'response');
    stream.write('x');
    stream.resume();
    await once(stream, 'close');
    expect(stream.rstCode).not.toBe(0);
  },
  { without: HTTP2_ONLY },
);

const CONNECT = [
  ...[':method', 'CONNECT', ':protocol', 'websocket', ':path', '/ws', ':scheme', 'https', ':authority', 'shop.test'],
  ...['sec-websocket-version', '13'],
];
