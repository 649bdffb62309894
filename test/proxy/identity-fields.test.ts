import { expect } from 'vitest';
import { basic, digestOf, HASH_OF_PASSWORD, HASH_OF_UU, temporaryFile } from '../kit/auth.ts';
import { forwardTo } from '../kit/config.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { http2Origin } from '../kit/http2-origin.ts';
import { HTTP1_ONLY, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Received } from '../kit/received.ts';
import { signingKey, token } from '../kit/tokens.ts';
import { handshake } from '../kit/upgrade.ts';

type Auth = NonNullable<NonNullable<TestConfig['routes']>[number]['auth']>;

const users = { ann: HASH_OF_PASSWORD, bob: HASH_OF_UU };
const auth = { basic: { users }, headers: { 'X-User': '{auth.user}', 'X-Email': '{claim.email}' } };
/** In every way that some endpoint takes for X-User or X-Email. */
const FORGED = [
  ...['X-User', 'root', 'x-user', 'root', 'X-USER', 'root', 'X_User', 'root', 'x_uSeR', 'root'],
  ...['X-Email', 'root@shop.test', 'x_email', 'root@shop.test', 'X.User', 'root', "X'user", 'root', 'X-Users', 'kept'],
];

/** What an endpoint may take for who it is. */
function alike({ lines }: Received): readonly string[] {
  return lines.map((line) => line.toLowerCase()).filter((line) => /^x[^a-z0-9](user|email)/.test(line));
}

/** One route with authentication, one without, and one whose authentication can't be compiled. */
function routes(shop: Origin, listener = {}): TestConfig {
  const endpoints = [`127.0.0.1:${shop.port}`];
  return {
    // Headgate drops names with underscores unless told otherwise.
    listeners: { web: { port: 0, underscores: 'keep', ...listener } },
    pools: { shop: { endpoints } },
    routes: [
      { match: { path: '/known/**' }, pool: 'shop', auth },
      { match: { path: '/open/**' }, pool: 'shop' },
    ],
  };
}

/** The request that came last. */
function latest({ received }: Origin): Received {
  const last = received.at(-1);
  if (last === undefined) throw new Error('None has come');
  return last;
}

matrix('nobody says himself who he is, with a password or without', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(routes(shop));
  const connection = await front.connect();
  await connection.send({ path: '/known/a', headers: [...FORGED, ...basic('ann', 'password')] });
  const known = latest(shop);
  expect(alike(known)).toEqual(['x-users: kept', 'x-user: ann']);
  await connection.send({ path: '/open/a', headers: FORGED });
  const open = latest(shop);
  expect(alike(open)).toEqual(['x-users: kept']);
});

matrix(
  'not even a trusted proxy does',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(routes(shop, { trustedProxies: ['127.0.0.0/8'] }));
    for (const path of ['/known/a', '/open/a']) {
      await front.send({ path, headers: [...FORGED, ...basic('ann', 'password')] });
      expect(latest(shop).head).not.toContain('root');
    }
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'nor in an upgrade, nor by Connection, which would have ours removed',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(routes(shop));
    await (await front.raw(handshake('/open/ws', 'X-User: root\r\nX_User: root\r\n'))).reply();
    expect(latest(shop).head).not.toContain('root');
    const [name, value] = basic('ann', 'password');
    const fields = `Host: shop.test\r\nConnection: X-User, Authorization\r\n${name}: ${value}\r\n`;
    await (await front.raw(`GET /known/a HTTP/1.1\r\n${fields}\r\n`)).reply();
    expect(latest(shop).all('x-user')).toEqual(['ann']);
  },
  { without: HTTP1_ONLY },
);

matrix('nor in trailers', async ({ gateway }) => {
  const shop = await http2Origin();
  const front = await gateway({
    pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`], protocol: 'http2' } },
    routes: [
      { match: { path: '/open/**' }, pool: 'shop' },
      { match: { path: '/known/**' }, pool: 'shop', auth },
    ],
  });
  const credentials = ['authorization', 'Bearer forged', 'cookie', 'login=forged'];
  const trailers = ['x-user', 'root', 'x_user', 'root', ...credentials, 'x-sum', '9'];
  const exchange = await front.begin({ method: 'POST', path: '/open/a', chunked: true, body: 'abc', trailers });
  const arrival = await shop.next();
  expect(await arrival.body()).toBe('abc');
  arrival.stream.respond({ ':status': 200 }, { endStream: true });
  await exchange.reply();
  expect(arrival.trailers).toEqual(['x-sum', '9']);
});

matrix(
  'nor while the route that asks for passwords is out of service',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const { routes: list = [], ...rest } = routes(shop);
    const broken = { basic: { file: temporaryFile('htpasswd', 'ann:secret\n') }, headers: auth.headers };
    const front = await gateway(
      { ...rest, routes: [{ ...list[0], auth: broken }, ...list.slice(1)] },
      { tolerance: 'start' },
    );
    expect((await front.send({ path: '/known/a', headers: basic('ann', 'secret') })).status).toBe(503);
    await front.send({ path: '/open/a', headers: FORGED });
    expect(latest(shop).head).not.toContain('root');
  },
  { without: ONE_PROTOCOL },
);

const FRESH = ['Cache-Control', 'public, max-age=60'];

matrix('what is stored for one user is served to no other, and to nobody unknown', async ({ gateway, origin }) => {
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: 'of ann' },
      { respond: 200, headers: FRESH, body: 'of bob' },
    ],
  });
  const front = await gateway(
    forwardTo(shop, { pool: { connections: { keepAlive: '1h' } }, route: { auth, cache: true } }),
  );
  const ask = async (headers: readonly string[]): Promise<readonly unknown[]> => {
    const reply = await front.send({ headers });
    return [reply.status, reply.text.slice(0, 6), reply.header('cache-status')?.includes('hit') ?? false];
  };
  const [ann, bob] = [basic('ann', 'password'), basic('bob', 'U*U')];
  expect(await ask(ann)).toEqual([200, 'of ann', false]);
  expect(await ask(bob)).toEqual([200, 'of bob', false]);
  expect(await ask(ann)).toEqual([200, 'of ann', true]);
  expect(await ask([...bob, 'X-User', 'ann'])).toEqual([200, 'of bob', true]);
  for (const headers of [[], ['X-User', 'ann'], basic('ann', 'U*U')]) expect((await ask(headers))[0]).toBe(401);
  expect(shop.requests).toBe(2);
});

matrix(
  'nor where the endpoint sees the credentials themselves, of which no rule for caches knows',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        { respond: 200, headers: FRESH, body: 'of one' },
        { respond: 200, headers: FRESH, body: 'of two' },
      ],
    });
    const keys = ['one', 'two'].map((name) => ({ name, key: digestOf(name) }));
    const front = await gateway(
      forwardTo(shop, {
        pool: { connections: { keepAlive: '1h' } },
        route: { auth: { apiKey: { keys, forwardCredentials: true } }, cache: true },
      }),
    );
    const ask = async (key: string): Promise<string> => (await front.send({ headers: ['X-API-Key', key] })).text;
    expect([await ask('one'), await ask('two'), await ask('one')]).toEqual(['of one', 'of two', 'of one']);
    expect(shop.requests).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

/** Two clients of a route whose endpoint sees what they bring and lets caches store what it answers; each asks twice. */
async function askedByTwo(
  { gateway, origin }: Stage,
  auth: Auth,
  [one, two]: readonly [readonly string[], readonly string[]],
): Promise<readonly string[]> {
  const shop = await origin({
    script: [
      { respond: 200, headers: FRESH, body: 'of one' },
      { respond: 200, headers: FRESH, body: 'of two' },
    ],
  });
  const front = await gateway(
    forwardTo(shop, { pool: { connections: { keepAlive: '1h' } }, route: { auth, cache: true } }),
  );
  const texts: string[] = [];
  for (const headers of [one, two, one, two]) texts.push((await front.send({ headers })).text);
  return texts;
}

const APART = ['of one', 'of two', 'of one', 'of two'];

matrix(
  'nor where nobody says what the users are called, or two issuers call them alike, or one name is only half of who it is',
  async (stage) => {
    const mine = await signingKey();
    const jwt = { publicKeys: mine.pem, issuer: ['https://issuer.test', 'https://b.test'], audience: 'shop' };
    const session = async (claims: Readonly<Record<string, unknown>>) => [
      'Cookie',
      `id=${await token(mine, { claims })}`,
    ];
    const inCookie = { jwt: { ...jwt, from: { cookie: 'id' } } };
    const nameless = [await session({ sub: null, n: 1 }), await session({ sub: null, n: 2 })] as const;
    expect(await askedByTwo(stage, inCookie, nameless)).toEqual(APART);
    const alike = [await session({ sub: 'ann' }), await session({ sub: 'ann', iss: 'https://b.test' })] as const;
    expect(await askedByTwo(stage, inCookie, alike)).toEqual(APART);
    const service = await stage.origin();
    const forward = { url: `http://127.0.0.1:${service.port}/` };
    expect(
      await askedByTwo(stage, { forward }, [
        ['Cookie', 's=1'],
        ['Cookie', 's=2'],
      ]),
    ).toEqual(APART);
    const both = { satisfy: 'all', basic: { users }, ...inCookie } as const;
    const ann = basic('ann', 'password');
    const halves = [
      [...ann, ...(await session({ sub: 'one' }))],
      [...ann, ...(await session({ sub: 'two' }))],
    ] as const;
    expect(await askedByTwo(stage, both, halves)).toEqual(APART);
  },
  { without: ONE_PROTOCOL },
);
