import { expect } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { FrameClient } from '../kit/frame-client.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { END_STREAM, get, TYPE } from '../kit/h2-frames.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { HTTP1_ONLY, HTTP2_ONLY, isHttp2, matrix, type Stage } from '../kit/matrix.ts';
import { RawClient } from '../kit/raw-client.ts';
import type { Script } from '../kit/script.ts';

const CSS = '</a.css>; rel=preload; as=style';
const PAGE = {
  respond: 200,
  headers: [
    'Content-Type',
    'text/html',
    'Cache-Control',
    'max-age=60',
    'ETag',
    '"1"',
    'Link',
    `${CSS}, </n>; rel=next`,
  ],
  body: '<p>',
} as const;
const NAVIGATES = ['Sec-Fetch-Mode', 'navigate'] as const;

/** Route `all` that learns. Scripts go on over minutes of the manual clock, on one connection. */
function learning(shop: { readonly port: number }, over: Forwarding = {}): TestConfig {
  const route = { cache: { earlyHints: true }, ...over.route };
  return forwardTo(shop, { ...over, pool: { connections: { keepAlive: '1h' }, ...over.pool }, route });
}

/** A gateway that has seen the page once, a minute and more ago. */
async function after({ gateway, origin }: Stage, script: Script, over: Forwarding = {}) {
  const shop = await origin({ script });
  const clock = new ManualClock();
  const front = await gateway(learning(shop, over), { clock });
  const first = await front.send({ headers: NAVIGATES });
  expect([first.status, first.informational]).toEqual([200, []]);
  clock.advance(61_000);
  return { shop, front, clock };
}

matrix('what a stored page announced is sent ahead, before the endpoint has answered', async (stage) => {
  const held = Promise.withResolvers<void>();
  const { shop, front } = await after(stage, [PAGE, 'read head', { wait: held.promise }, { ...PAGE, body: '<p>2' }]);
  const exchange = await front.begin({ headers: NAVIGATES });
  const hints = await exchange.interim(0);
  expect([hints.status, hints.fields.list]).toEqual([103, [isHttp2(stage.downstream) ? 'link' : 'Link', CSS]]);
  await shop.request(1);
  held.resolve();
  const reply = await exchange.reply();
  expect([reply.status, reply.text, reply.informational.length]).toEqual([200, '<p>2', 1]);
  expect(reply.header('link')).toBe(`${CSS}, </n>; rel=next`);
  const hit = await front.send({ headers: NAVIGATES });
  expect([hit.text, hit.informational]).toEqual(['<p>2', []]);
  const metrics = await (await fetch(`${front.gateway.gateway.adminUrl}/metrics`)).text();
  expect(metrics).toContain('headgate_cache_early_hints_total{route="all"} 1');
  expect(metrics).toContain('headgate_cache_learned_pages 1');
});

matrix(
  'on the wire the hints are a message of their own, before the response',
  async (stage) => {
    const { front } = await after(stage, [PAGE]);
    const client = await RawClient.connect({ port: front.gateway.port() });
    client.send('GET / HTTP/1.1\r\nHost: shop.test\r\nSec-Fetch-Mode: navigate\r\nConnection: close\r\n\r\n');
    const text = await client.rest();
    expect(text).toMatch(
      /^HTTP\/1\.1 103 Early Hints\r\nLink: <\/a\.css>; rel=preload; as=style\r\n\r\nHTTP\/1\.1 200 OK\r\n/,
    );
    expect(text.match(/HTTP\/1\.1 /g)).toHaveLength(2);
  },
  { without: { ...HTTP1_ONLY, 'h1-tls': 'plain bytes' } },
);

matrix(
  'on the wire the hints are a block of fields of their own on the stream, before that of the response',
  async (stage) => {
    const { front } = await after(stage, [PAGE]);
    const client = await FrameClient.connect({ port: front.gateway.port(), tls: stage.downstream === 'h2' });
    client.send(get(1));
    await client.frame(({ type, stream }) => stream === 1 && type === TYPE.data);
    const ofStream = client.frames.filter(({ stream }) => stream === 1).map(({ type }) => type);
    expect(ofStream.slice(0, 3)).toEqual([TYPE.headers, TYPE.headers, TYPE.data]);
    const ended = client.frames.filter(({ type, flags }) => type === TYPE.headers && (flags & END_STREAM) !== 0);
    expect(ended).toEqual([]);
  },
  { without: HTTP2_ONLY },
);

matrix('they are sent while a page is validated, and when it may not be stored any more', async (stage) => {
  const privately = { ...PAGE, headers: ['Content-Type', 'text/html', 'Cache-Control', 'no-store'] } as const;
  const { front } = await after(stage, [
    PAGE,
    'read head',
    { respond: 304, headers: ['ETag', '"1"', 'Cache-Control', 'max-age=0'] },
    privately,
    privately,
  ]);
  for (const text of ['<p>', '<p>', '<p>']) {
    const reply = await front.send({ headers: NAVIGATES });
    expect([reply.text, reply.informational.length]).toEqual([text, 1]);
  }
});

matrix('those of the endpoint itself still come', async (stage) => {
  const own = 'HTTP/1.1 103 Early Hints\r\nLink: </own.css>; rel=preload\r\n\r\n';
  const { front } = await after(stage, [PAGE, 'read head', { send: own }, PAGE]);
  const reply = await front.send({ headers: NAVIGATES });
  expect(reply.informational.map(({ fields }) => fields.all('link'))).toEqual([[CSS], ['</own.css>; rel=preload']]);
});

matrix('nothing is sent ahead for what is no navigation, and over HTTP/1.1 for what does not say so', async (stage) => {
  const { front, clock } = await after(stage, [PAGE]);
  const count = async (headers: readonly string[], method = 'GET') => {
    clock.advance(61_000);
    return (await front.send({ headers, method })).informational.length;
  };
  expect(await count(['Sec-Fetch-Mode', 'cors'])).toBe(0);
  expect(await count([])).toBe(isHttp2(stage.downstream) ? 1 : 0);
  expect(await count(NAVIGATES, 'HEAD')).toBe(0);
  expect(await count([...NAVIGATES, 'Cache-Control', 'no-store'])).toBe(0);
  expect(await count(NAVIGATES)).toBe(1);
});

matrix(
  'nothing is sent ahead to HTTP/1.0',
  async (stage) => {
    const { front } = await after(stage, [PAGE]);
    const exchange = await front.raw('GET / HTTP/1.0\r\nHost: shop.test\r\nSec-Fetch-Mode: navigate\r\n\r\n');
    const reply = await exchange.reply();
    expect([reply.status, reply.informational]).toEqual([200, []]);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'nothing is sent ahead over HTTP/1.1 to a proxy that is trusted',
  async (stage) => {
    const { front } = await after(stage, [PAGE], { listener: { trustedProxies: ['127.0.0.1'] } });
    expect((await front.send({ headers: NAVIGATES })).informational).toEqual([]);
  },
  { without: HTTP1_ONLY },
);

matrix('what the edits of the route remove is not sent ahead, what they make of it is', async (stage) => {
  const removed = await after(stage, [PAGE], { route: { responseHeaders: { remove: ['Link'] } } });
  expect((await removed.front.send({ headers: NAVIGATES })).informational).toEqual([]);
  const other = { responseHeaders: { set: { Link: '</b.css>; rel=preload', 'X-Other': '1' } } };
  const changed = await after(stage, [PAGE], { route: other });
  const reply = await changed.front.send({ headers: NAVIGATES });
  expect(reply.informational.map(({ fields }) => fields.list[1])).toEqual(['</b.css>; rel=preload']);
  expect(reply.informational[0]?.fields.list).toHaveLength(2);
});

matrix('a page that differs for each user is announced to nobody', async (stage) => {
  const headers = [...PAGE.headers, 'Vary', 'Cookie'];
  const { front } = await after(stage, [{ ...PAGE, headers }]);
  expect((await front.send({ headers: NAVIGATES })).informational).toEqual([]);
});

matrix('a page that was changed is not announced by what it was', async (stage) => {
  const { front } = await after(stage, [PAGE]);
  await front.send({ method: 'POST', body: 'x' });
  expect((await front.send({ headers: NAVIGATES })).informational).toEqual([]);
});

matrix('a route that does not ask for it sends nothing ahead', async (stage) => {
  const { front } = await after(stage, [PAGE], { route: { cache: true } });
  expect((await front.send({ headers: NAVIGATES })).informational).toEqual([]);
});
