import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { HTTP1_ONLY, HTTP2_ONLY, matrix } from '../kit/matrix.ts';
import type { Step } from '../kit/script.ts';

const stored: readonly Step[] = [
  'read head',
  { respond: 200, headers: ['Cache-Control', 'max-age=0', 'ETag', '"a"'], body: 'old' },
];
/** About something else than what was asked: the request is sent again without conditions. */
const mismatch: readonly Step[] = ['read head', { respond: 304, headers: ['ETag', '"b"'] }];

matrix(
  'a request that is asked again after a 304 about something else gets the idle timeout anew',
  async ({ gateway, origin }) => {
    const clock = new ManualClock(Date.now());
    const turn = Promise.withResolvers<void>();
    const later = Promise.withResolvers<void>();
    const shop = await origin({
      script: [
        ...stored,
        ...mismatch,
        'read head',
        { wait: turn.promise },
        { send: 'HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nabc' },
        { wait: later.promise },
        { send: 'def' },
      ],
    });
    const front = await gateway(forwardTo(shop, { route: { cache: true, timeouts: { head: '20s', idle: '5s' } } }), {
      clock,
    });
    const connection = await front.connect();
    await connection.send({});
    const exchange = connection.begin({});
    await shop.request(2);
    // Longer than the idle timeout, shorter than the head's: nothing of a body is due yet.
    clock.advance(7_000);
    turn.resolve();
    await exchange.read(3);
    clock.advance(3_000);
    later.resolve();
    const reply = await exchange.reply();
    expect([reply.status, reply.text, reply.ended]).toEqual([200, 'abcdef', 'clean']);
  },
);

matrix(
  'a body without length that breaks off is a reset for an HTTP/1.0 client: nothing else could tell',
  async ({ gateway, origin }) => {
    const gone = Promise.withResolvers<void>();
    const shop = await origin({
      script: [
        'read head',
        { send: 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n' },
        { wait: gone.promise },
        'close',
      ],
    });
    const front = await gateway(forwardTo(shop));
    const exchange = await front.raw('GET / HTTP/1.0\r\n\r\n');
    await exchange.read(3);
    gone.resolve();
    expect((await exchange.reply()).ended).toBe('reset');
  },
  { without: { ...HTTP1_ONLY, 'h1-tls': 'a TLS connection that ends without close_notify shows it' } },
);

matrix('an interim response has no length', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 103 Early Hints\r\nContent-Length: 5\r\nLink: </a>\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n' },
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect(reply.status).toBe(204);
  expect(reply.informational.map((head) => [head.header('link'), head.header('content-length')])).toEqual([
    ['</a>', null],
  ]);
});

matrix(
  'an endpoint whose answer can’t be said in HTTP/2 is let go at once',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: ['read head', { send: 'HTTP/1.1 999 No\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n' }, 'silent'],
    });
    const front = await gateway(forwardTo(shop));
    const reply = await front.send({});
    expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=http_protocol_error']);
    await shop.idle();
  },
  { without: HTTP2_ONLY },
);
