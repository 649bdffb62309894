import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { HTTP1_ONLY, matrix } from '../kit/matrix.ts';

matrix('request fields are set, added and removed, with what the request itself says', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(
    forwardTo(shop, {
      route: {
        match: { path: '/users/{id}/**' },
        requestHeaders: {
          set: { 'X-User': '{id}', 'X-Host': '{host}', 'X-Replaced': 'new' },
          add: { 'X-Many': '{method} {path} {query.q} {client.address}' },
          remove: ['X-Gone', 'Cookie'],
        },
      },
    }),
  );
  await front.send({
    path: '/users/42/cart?q=a%20b',
    headers: [
      'X-Many',
      'own',
      'X-Replaced',
      'old',
      'x-replaced',
      'older',
      'X-Gone',
      '1',
      'Cookie',
      'secret',
      'X-Kept',
      '1',
    ],
  });
  const received = await shop.request();
  expect(received.all('x-user')).toEqual(['42']);
  expect(received.all('x-host')).toEqual(['shop.test']);
  expect(received.all('x-replaced')).toEqual(['new']);
  expect(received.all('x-many')).toEqual(['own', 'GET /users/42/cart a b 127.0.0.1']);
  expect([received.header('x-gone'), received.header('cookie'), received.header('x-kept')]).toEqual([null, null, '1']);
});

matrix(
  'a client cannot undo an edit by naming the field in Connection',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { route: { requestHeaders: { set: { 'X-Checked': 'yes' } } } }));
    await (await front.raw('GET / HTTP/1.1\r\nHost: shop.test\r\nConnection: X-Checked, Via\r\n\r\n')).reply();
    const received = await shop.request();
    expect([received.header('x-checked'), received.header('via')]).toEqual(['yes', '1.1 headgate']);
  },
  { without: HTTP1_ONLY },
);

matrix('a value from the request never becomes a field of its own', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { requestHeaders: { set: { 'X-Q': '{query.q}' } } } }));
  await front.send({ path: '/?q=a%0d%0aX-Evil:%201' });
  const received = await shop.request();
  expect(received.header('x-evil')).toBeNull();
});

matrix('response fields are set, added and removed', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [{ respond: 200, headers: ['Server', 'secret/1.0', 'X-Many', 'own', 'X-Frame-Options', 'ALLOW'] }],
  });
  const responseHeaders = {
    set: { 'X-Frame-Options': 'DENY', 'X-Route': '{route}' },
    add: { 'X-Many': 'ours' },
    remove: ['Server'],
  };
  const front = await gateway(forwardTo(shop, { route: { responseHeaders } }));
  const reply = await front.send({});
  expect([reply.all('x-frame-options'), reply.all('x-many')]).toEqual([['DENY'], ['own', 'ours']]);
  expect([reply.header('x-route'), reply.header('server')]).toEqual(['all', null]);
});

const rewrites = [
  {
    what: 'strips a prefix',
    match: '/api/**',
    rewrite: { stripPrefix: '/api' },
    from: '/api/users/7?x=/api',
    to: '/users/7?x=/api',
  },
  {
    what: 'strips the whole path to the root',
    match: '/api/**',
    rewrite: { stripPrefix: '/api' },
    from: '/api',
    to: '/',
  },
  {
    what: 'replaces the matched prefix',
    match: '/old/**',
    rewrite: { prefix: '/new/v2' },
    from: '/old/a',
    to: '/new/v2/a',
  },
  {
    what: 'builds a path from captures',
    match: '/u/{id}/{rest...}',
    rewrite: { path: '/users/{rest}/of/{id}' },
    from: '/u/7/a/b',
    to: '/users/a/b/of/7',
  },
  {
    what: 'replaces by a pattern',
    match: '/**',
    rewrite: { regex: '^/v([0-9]+)/', replace: '/api/$1/' },
    from: '/v12/x',
    to: '/api/12/x',
  },
  {
    what: 'leaves a path that does not fit',
    match: '/**',
    rewrite: { regex: '^/v([0-9]+)/', replace: '/api/$1/' },
    from: '/w/x',
    to: '/w/x',
  },
] as const;

for (const { what, match, rewrite, from, to } of rewrites) {
  matrix(`a rewrite ${what}: ${from} → ${to}`, async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { route: { match: { path: match }, rewrite } }));
    expect((await front.send({ path: from })).status).toBe(200);
    expect((await shop.request()).target).toBe(to);
  });
}

matrix('query parameters are set, added and removed, and the others keep their bytes', async ({ gateway, origin }) => {
  const shop = await origin();
  const query = { set: { a: 'new one', host: '{host}' }, add: { b: '2' }, remove: ['secret'] };
  const front = await gateway(forwardTo(shop, { route: { query } }));
  await front.send({ path: '/p?x=%7e+y&a=1&secret=s&b=1&a=2&&secret' });
  const { target } = await shop.request();
  const parameters = new URLSearchParams(target.split('?')[1]);
  expect(target).toContain('x=%7e+y');
  expect([parameters.getAll('a'), parameters.getAll('b'), parameters.getAll('secret')]).toEqual([
    ['new one'],
    ['1', '2'],
    [],
  ]);
  expect(parameters.get('host')).toBe('shop.test');
});

matrix('a redirect of the endpoint leads back through the gateway', async ({ gateway, origin }) => {
  const locations = [
    ['/login?x', '/app/login?x'],
    ['http://shop.test/login', 'SCHEME://shop.test/app/login'],
    ['https://elsewhere.test/login', 'https://elsewhere.test/login'],
    ['login', 'login'],
  ] as const;
  const shop = await origin({
    script: locations.map(([location]) => ({
      respond: 302,
      headers: ['Location', location, 'Content-Location', location],
    })),
  });
  const front = await gateway(
    forwardTo(shop, { route: { match: { path: '/app/**' }, rewrite: { stripPrefix: '/app' } } }),
  );
  const connection = await front.connect();
  for (const [, expected] of locations) {
    const reply = await connection.send({ path: '/app/secret' });
    const wanted = expected.replace('SCHEME', front.scheme);
    expect([reply.header('location'), reply.header('content-location')]).toEqual([wanted, wanted]);
  }
});

matrix('a redirect to the endpoint’s own address becomes one to the gateway', async ({ gateway, origin }) => {
  const go = Promise.withResolvers<string>();
  const shop = await origin({
    script: ['read head', { wait: go.promise }, { respond: 302, headers: ['Location', 'http://127.0.0.1:1/x'] }],
  });
  const front = await gateway(forwardTo(shop, { pool: { host: 'endpoint' } }));
  const redirecting = await origin({
    script: [{ respond: 302, headers: ['Location', `http://127.0.0.1:${shop.port}/x`] }],
  });
  go.resolve('');
  // Another origin's address is left alone: it is not ours to map.
  expect((await front.send({})).header('location')).toBe('http://127.0.0.1:1/x');
  const other = await gateway(forwardTo(redirecting, { pool: { host: 'endpoint' } }));
  expect((await other.send({})).header('location')).toBe(`http://127.0.0.1:${shop.port}/x`);
});

matrix('rewriteLocation: false leaves Location alone', async ({ gateway, origin }) => {
  const shop = await origin({ script: [{ respond: 302, headers: ['Location', '/login'] }] });
  const route = { match: { path: '/app/**' }, rewrite: { stripPrefix: '/app' }, rewriteLocation: false };
  const front = await gateway(forwardTo(shop, { route }));
  expect((await front.send({ path: '/app/x' })).header('location')).toBe('/login');
});

matrix('cookies of the endpoint get the domain, path and attributes of the route', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      {
        respond: 200,
        headers: [
          ...['Set-Cookie', 'a=1; Domain=inner.test; Path=/; Expires=Wed, 01 Jan 2031 00:00:00 GMT'],
          ...['Set-Cookie', 'b="x=y"; path=/shop/cart; Partitioned', 'X-Between', '1', 'Set-Cookie', 'c=3'],
        ],
      },
    ],
  });
  const cookies = {
    ...{ domain: 'shop.test', path: { from: '/', to: '/app' }, secure: true, httpOnly: true },
    sameSite: 'strict' as const,
  };
  const front = await gateway(forwardTo(shop, { route: { cookies } }));
  const [a = '', b = '', c = ''] = (await front.send({})).all('set-cookie');
  for (const cookie of [a, b, c]) {
    expect(cookie).toMatch(/; Domain=shop\.test(;|$)/i);
    expect(cookie).toMatch(/; Secure(;|$)/);
    expect(cookie).toMatch(/; HttpOnly(;|$)/);
    expect(cookie).toMatch(/; SameSite=Strict(;|$)/);
  }
  expect(a).toMatch(/^a=1; .*Path=\/app(;|$)/);
  expect(a).toContain('Expires=Wed, 01 Jan 2031 00:00:00 GMT');
  expect(b).toMatch(/^b="x=y"; .*Path=\/app\/shop\/cart(;|$)/);
  expect(b).toContain('Partitioned');
  expect(c).toMatch(/^c=3; /);
});
