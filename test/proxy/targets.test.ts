import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { HTTP1_ONLY, isPlain, matrix } from '../kit/matrix.ts';

/** Paths as sent, and the one form in which routing and the endpoint see them. */
const canonical: readonly [string, string][] = [
  ['/a/b', '/a/b'],
  ['/a/./b', '/a/b'],
  ['/a/../b', '/b'],
  ['/a/%2e%2e/b', '/b'],
  ['/a/%2E/b', '/a/b'],
  ['/../../b', '/b'],
  ['//a///b', '/a/b'],
  ['/%61%7E', '/a~'],
  ['/%c3%a4', '/%C3%A4'],
  ['/a;v=1/b', '/a;v=1/b'],
  ['/a%3Bb', '/a%3Bb'],
  ['/', '/'],
];

for (const [sent, seen] of canonical) {
  matrix(`the endpoint sees ${sent} as ${seen}`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    expect((await front.send({ path: sent })).status).toBe(200);
    expect((await shop.request()).target).toBe(seen);
  });
}

for (const refused of ['/a%2Fb', '/a%2fb', '/a\\b', '/a%5Cb', '/%zz', '/%', '/%0', '/%00', '/%0d%0a']) {
  matrix(`${refused} is refused with 400 and a reason`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop));
    const reply = await front.send({ path: refused });
    expect([reply.status, reply.header('proxy-status')]).toEqual([400, 'headgate; error=http_request_error']);
    expect((await front.gateway.nextRecord()).end).toMatchObject({ side: 'client', error: 'http_request_error' });
    expect(shop.accepted).toBe(0);
  });
}

matrix('a listener may keep or decode what others refuse', async ({ gateway, origin }) => {
  const shop = await origin();
  const config = forwardTo(shop, {
    listener: { path: { encodedSlash: 'keep', duplicateSlashes: 'keep', backslash: 'slash', dotSegments: 'refuse' } },
  });
  const front = await gateway(config);
  for (const path of ['/a%2fb', '/a//b', '/a\\b']) expect((await front.send({ path })).status).toBe(200);
  expect(shop.received.map(({ target }) => target)).toEqual(['/a%2Fb', '/a//b', '/a/b']);
  expect((await front.send({ path: '/a/../b' })).status).toBe(400);
});

matrix('a path is routed by what the endpoint will see', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(guarded(shop));
  for (const path of ['/api/%2e%2e/admin', '/api/../admin/x', '//admin', '/%61dmin', '/./admin/']) {
    expect([path, (await front.send({ path })).status]).toEqual([path, 403]);
  }
  expect((await front.send({ path: '/admin/../api/x' })).status).toBe(200);
  expect(shop.received.map(({ target }) => target)).toEqual(['/api/x']);
});

matrix('the query reaches the endpoint byte for byte', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const queries = ['?a=1&a=2', '?q=%20+%7e%zz', '?&&==', '?', '?a=/../b//c;d', '?x=\'"<>{}|^`', '?u=http://x/?y'];
  for (const query of queries) await front.send({ path: `/p${query}` });
  expect(shop.received.map(({ target }) => target)).toEqual(queries.map((query) => `/p${query}`));
});

matrix('a target that looks like another host stays a path', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  expect((await front.send({ path: '//evil.test/x' })).status).toBe(200);
  const received = await shop.request();
  expect([received.target, received.header('host')]).toEqual(['/evil.test/x', 'shop.test']);
});

matrix(
  'the authority of an absolute-form target replaces Host, for routing and for the endpoint',
  async ({ gateway, origin, downstream }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { route: { match: { host: 'shop.test' } } }));
    const scheme = isPlain(downstream) ? 'http' : 'https';
    const exchange = await front.raw(`GET ${scheme}://shop.test/a?b HTTP/1.1\r\nHost: other.test\r\n\r\n`);
    expect((await exchange.reply()).status).toBe(200);
    const received = await shop.request();
    expect([received.target, received.all('host')]).toEqual(['/a?b', ['shop.test']]);
    expect(received.header('x-forwarded-host')).toBe('shop.test');
  },
  { without: HTTP1_ONLY },
);

matrix('OPTIONS * is answered by the gateway', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  const reply = await front.send({ method: 'OPTIONS', path: '*' });
  expect([reply.status, reply.text]).toEqual([204, '']);
  expect(shop.accepted).toBe(0);
  expect((await front.gateway.nextRecord()).end.reason).toBe('options');
});

matrix('Max-Forwards of an OPTIONS request counts down, and ends at the gateway at 0', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop));
  await front.send({ method: 'OPTIONS', headers: ['Max-Forwards', '5'] });
  expect((await shop.request()).header('max-forwards')).toBe('4');
  expect((await front.send({ method: 'OPTIONS', headers: ['Max-Forwards', '0'] })).status).toBe(204);
  expect(shop.requests).toBe(1);
});

function guarded(shop: { readonly port: number }): TestConfig {
  return {
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
    routes: [
      { pool: 'shop', match: { path: '/api/**' } },
      { respond: { status: 403 }, match: { path: '/admin/**' } },
    ],
  };
}
