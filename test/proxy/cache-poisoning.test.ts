import { expect, test } from 'vitest';
import { type Forwarding, forwardTo } from '../kit/config.ts';
import { startTestGateway, type TestConfig } from '../kit/gateway.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';
import { type Origin, origin } from '../kit/origin.ts';
import { exchangeRaw } from '../kit/raw-client.ts';

/** One client's request must not choose what another one is served: nothing may reach the endpoint that the key does not hold. */
function cached(shop: Origin, listener: Forwarding['listener'] = {}): TestConfig {
  return forwardTo(shop, { listener, route: { cache: true } });
}

matrix(
  'a field that Connection keeps from the endpoint does not select the variant that is stored',
  async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60', 'Vary', 'Accept-Language'];
    const shop = await origin({
      script: [
        'read head',
        { respond: 200, headers, body: 'default' },
        'read head',
        { respond: 200, headers, body: 'de' },
      ],
    });
    const front = await gateway(cached(shop));
    const language = ['Accept-Language', 'de'];
    const first = await front.send({ headers: [...language, 'Connection', 'keep-alive, accept-language'] });
    expect(first.header('cache-status')).toBe('headgate; fwd=uri-miss; fwd-status=200; detail=vary-unseen');
    expect((await shop.request(0)).all('accept-language')).toEqual([]);
    expect((await front.send({ headers: language })).text).toBe('de');
  },
  { without: HTTP1_ONLY },
);

for (const field of ['X-Forwarded-Proto', 'X-Forwarded-Host', 'X-Forwarded-Prefix']) {
  matrix(`what a trusted proxy says in ${field} is part of what was asked for`, async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60'];
    const shop = await origin({
      script: ['a', 'b', 'c'].flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
    });
    const front = await gateway(cached(shop, { trustedProxies: ['127.0.0.1/32'] }));
    const connection = await front.connect();
    expect((await connection.send({ headers: [field, 'one'] })).text).toBe('a');
    expect((await connection.send({ headers: [field, 'two'] })).text).toBe('b');
    expect((await connection.send({})).text).toBe('c');
    expect((await connection.send({ headers: [field, 'one'] })).text).toBe('a');
  });
}

matrix('clients of a trusted proxy share what is stored, whoever they are', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const front = await gateway(cached(shop, { trustedProxies: ['127.0.0.1/32'] }));
  for (const address of ['192.0.2.1', '192.0.2.2']) {
    await front.send({ headers: ['X-Forwarded-For', address, 'X-Forwarded-Proto', 'https'] });
  }
  expect(shop.requests).toBe(1);
});

matrix('nobody else’s forwarding fields split what is stored', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const front = await gateway(cached(shop));
  for (const host of ['a.test', 'b.test']) await front.send({ headers: ['X-Forwarded-Host', host] });
  expect(shop.requests).toBe(1);
});

matrix('what a stranger says in forwarding fields does not reach the endpoint of a shared response', async (stage) => {
  const shop = await stage.origin({ script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'] }] });
  const front = await stage.gateway(cached(shop));
  const lies = [
    'X-Forwarded-Host',
    'X-Forwarded-Proto',
    'X-Forwarded-Port',
    'X-Forwarded-Prefix',
    'X-Real-IP',
    'Forwarded',
  ];
  await front.send({ headers: lies.flatMap((name) => [name, 'host=evil.test']) });
  const received = await shop.request(0);
  expect(lies.flatMap((name) => received.all(name)).filter((value) => value.includes('evil.test'))).toEqual([]);
});

matrix(
  'a host that is spelt otherwise, for which an endpoint may redirect, is not everybody’s',
  async ({ gateway, origin }) => {
    const bodies = ['one', 'case', 'default port', 'dot', 'port', 'other'];
    const headers = ['Cache-Control', 'max-age=60'];
    const shop = await origin({
      script: bodies.flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
    });
    const front = await gateway(cached(shop));
    const connection = await front.connect();
    const ask = async (authority: string): Promise<string> => (await connection.send({ authority })).text;
    expect(await ask('shop.test')).toBe('one');
    expect(await ask('SHOP.test')).toBe('case');
    expect(await ask('shop.test:80')).toBe('default port');
    expect(await ask('shop.test.')).toBe('dot');
    expect(await ask('shop.test:8443')).toBe('port');
    expect(await ask('a.shop.test')).toBe('other');
    expect(await ask('shop.test')).toBe('one');
  },
);

test('what came by another port, which the endpoint was told of, is another response', async () => {
  const headers = ['Cache-Control', 'max-age=60'];
  const shop = await origin({
    script: ['a', 'b'].flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
  });
  const config = cached(shop);
  const gateway = await startTestGateway({ ...config, listeners: { web: { port: 0 }, other: { port: 0 } } });
  const texts = [];
  for (const name of ['web', 'other', 'web']) {
    const options = { port: gateway.port(name) };
    const reply = await exchangeRaw(options, 'GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: close\r\n\r\n');
    texts.push(String(reply.body));
  }
  expect(new Set(shop.received.map((request) => request.header('host')))).toEqual(new Set(['shop.test']));
  expect(texts).toEqual(['a', 'b', 'a']);
});

matrix('a GET with a body goes past the cache: no key holds what it says', async ({ gateway, origin }) => {
  const headers = ['Cache-Control', 'max-age=60'];
  const shop = await origin({
    script: ['fat', 'plain'].flatMap((body) => ['read head', 'read body', { respond: 200, headers, body }] as const),
  });
  const connection = await (await gateway(cached(shop))).connect();
  const fat = await connection.send({ body: 'page=9' });
  expect([fat.text, fat.header('cache-status')]).toEqual([
    'fat',
    'headgate; fwd=bypass; fwd-status=200; detail=request-body',
  ]);
  expect((await connection.send({})).text).toBe('plain');
});

/** What an attacker sends first, to have it stored where everybody else looks, on a route with this key. */
const cloaked: readonly (readonly [string, { readonly path?: string; readonly headers?: readonly string[] }])[] = [
  ['behind a semicolon', { path: '/?page=1&utm_x=1;page=9' }],
  ['in brackets', { path: '/?page=1&utm_x[page]=9' }],
  ['in a field that CGI takes for the one in the key', { path: '/?page=1', headers: ['X_Tenant', 'evil'] }],
  ['in a cookie behind a comma', { path: '/?page=1', headers: ['Cookie', 'a=1,lang=evil'] }],
  ['in a second cookie', { path: '/?page=1', headers: ['Cookie', 'LANG=evil'] }],
];

for (const [name, attack] of cloaked) {
  matrix(`what only some endpoints read is in the key: ${name}`, async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60'];
    const shop = await origin({
      script: ['evil', 'good'].flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
    });
    const key = { query: { drop: ['utm_*'] }, headers: ['X-Tenant'], cookies: ['lang'] };
    const connection = await (
      await gateway(forwardTo(shop, { listener: { underscores: 'keep' }, route: { cache: { key } } }))
    ).connect();
    expect((await connection.send(attack)).text).toBe('evil');
    expect((await connection.send({ path: '/?page=1' })).text).toBe('good');
    expect((await connection.send({ path: '/?page=1&utm_x=1' })).text).toBe('good');
  });
}

matrix(
  'a field of the key that Connection keeps from the endpoint counts as absent',
  async ({ gateway, origin }) => {
    const headers = ['Cache-Control', 'max-age=60'];
    const shop = await origin({
      script: ['nobody', 'acme'].flatMap((body) => ['read head', { respond: 200, headers, body }] as const),
    });
    const front = await gateway(forwardTo(shop, { route: { cache: { key: { headers: ['X-Tenant'] } } } }));
    const acme = ['X-Tenant', 'acme'];
    expect((await front.send({ headers: [...acme, 'Connection', 'x-tenant, keep-alive'] })).text).toBe('nobody');
    expect((await front.send({ headers: acme })).text).toBe('acme');
  },
  { without: HTTP1_ONLY },
);
