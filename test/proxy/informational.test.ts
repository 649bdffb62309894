import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

const HINTS =
  'HTTP/1.1 103 Early Hints\r\nLink: </a.css>; rel=preload\r\nLink: </b.js>; rel=preload\r\nConnection: x\r\n\r\n';
const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

matrix('103 Early Hints reach the client before the response is there', async ({ gateway, origin }) => {
  const hinted = Promise.withResolvers<void>();
  const shop = await origin({ script: ['read head', { send: HINTS }, { wait: hinted.promise }, { send: OK }] });
  const front = await gateway(forwardTo(shop));
  const exchange = await front.begin({});
  const hints = await exchange.interim(0);
  hinted.resolve();
  const reply = await exchange.reply();
  expect([hints.status, hints.fields.all('link')]).toEqual([103, ['</a.css>; rel=preload', '</b.js>; rel=preload']]);
  expect(hints.header('connection')).toBeNull();
  expect([reply.status, reply.text, reply.informational.length]).toEqual([200, 'ok', 1]);
});

matrix('several interim responses reach the client in order', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { sendEach: ['HTTP/1.1 102 Processing\r\n\r\n', HINTS, 'HTTP/1.1 102 Processing\r\n\r\n', OK] },
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect(reply.informational.map(({ status }) => status)).toEqual([102, 103, 102]);
  expect(reply.text).toBe('ok');
});

matrix('a 100 that nobody asked for never crashes and never reaches the client', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', { send: `HTTP/1.1 100 Continue\r\n\r\n${OK}` }] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect(reply.informational).toEqual([]);
  expect([200, 502]).toContain(reply.status);
  if (reply.status === 502) expect(reply.header('proxy-status')).toContain('error=http_protocol_error');
});

matrix('a 101 that nobody asked for is a bad gateway', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      'read head',
      { send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n' },
      'silent',
    ],
  });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=http_protocol_error']);
  await shop.idle();
});

matrix('an endpoint that sends nothing but interim responses is given up', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', { send: HINTS.repeat(1000) }, 'silent'] });
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({});
  expect([reply.status, reply.header('proxy-status')]).toEqual([502, 'headgate; error=http_protocol_error']);
});

matrix(
  'an HTTP/1.0 client gets no interim response',
  async ({ gateway, origin }) => {
    const shop = await origin({ script: ['read head', { send: HINTS + OK }] });
    const front = await gateway(forwardTo(shop));
    const reply = await (await front.raw('GET / HTTP/1.0\r\nHost: shop.test\r\n\r\n')).reply();
    expect([reply.status, reply.informational, reply.text]).toEqual([200, [], 'ok']);
  },
  { without: HTTP1_ONLY },
);
