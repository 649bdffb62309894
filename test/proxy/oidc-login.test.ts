import { createHash } from 'node:crypto';
import { expect } from 'vitest';
import { JsonAccessLog } from '../../src/observe/access-log.ts';
import { forwardTo } from '../kit/config.ts';
import { CookieJar, NAVIGATION } from '../kit/cookie-jar.ts';
import type { TestConfig, TestGatewayOptions } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import { CLIENT_SECRET, type OpenIdProvider, openIdProvider } from '../kit/openid-provider.ts';
import type { Origin } from '../kit/origin.ts';
import { echoOrigin, openWebSocket } from '../kit/web-sockets.ts';

type RouteConfig = NonNullable<TestConfig['routes']>[number];

interface World {
  readonly front: Front;
  readonly provider: OpenIdProvider;
  readonly shop: Origin;
  readonly jar: CookieJar;
}

function auth(provider: OpenIdProvider, over: Record<string, unknown> = {}): RouteConfig['auth'] {
  return { oidc: { issuer: provider.issuer, clientId: 'gateway', clientSecret: CLIENT_SECRET, ...over } };
}

/** A gateway before an origin, with a login for everything. */
async function world(
  { gateway, origin }: Stage,
  over: { readonly oidc?: Record<string, unknown>; readonly route?: Partial<RouteConfig> } = {},
  options?: TestGatewayOptions,
): Promise<World> {
  const [provider, shop] = [await openIdProvider(), await origin()];
  const route = { ...over.route, auth: { ...auth(provider, over.oidc), ...over.route?.auth } } as Partial<RouteConfig>;
  const front = await gateway(forwardTo(shop, { route }), options);
  return { front, provider, shop, jar: new CookieJar(front) };
}

/** Goes to the login from `path` and back; the last response. */
async function logIn({ jar, provider }: Pick<World, 'jar' | 'provider'>, path = '/carts/7?tab=1') {
  const away = await jar.get(path);
  return jar.get(provider.logIn(away.header('location') ?? ''));
}

matrix('a browser logs in at the provider and comes back to where it wanted to go', async (stage) => {
  const all = await world(stage);
  const { front, jar, provider, shop } = all;
  const away = await jar.get('/carts/7?tab=1');
  expect([away.status, new URL(away.header('location') ?? '').origin]).toEqual([302, provider.issuer]);
  const back = await jar.get(provider.logIn(away.header('location') ?? ''));
  expect([back.status, back.header('location'), back.header('cache-control')]).toEqual([
    303,
    '/carts/7?tab=1',
    'no-store',
  ]);
  expect(shop.requests).toBe(0);
  jar.cookies.set('theme', 'dark');
  expect((await jar.get('/carts/7?tab=1')).status).toBe(200);
  expect(shop.received[0]?.header('cookie')).toBe('theme=dark');
  expect([...jar.cookies.keys()][0]).toMatch(front.scheme === 'https' ? /^__Host-headgate-/ : /^headgate-/);
});

for (const [what, lie] of [
  ['a nonce of another login', 'nonce'],
  ['an ID token of another issuer', 'issuer'],
  ['an ID token for another client', 'audience'],
  ['an ID token that somebody else signed', 'signature'],
] as const) {
  matrix(
    `${what} logs nobody in`,
    async (stage) => {
      const all = await world(stage);
      all.provider.lies = lie;
      expect((await logIn(all)).status).toBe(403);
      expect((await all.front.gateway.nextRecord()).end.reason).toBe('login-redirect');
      expect((await all.front.gateway.nextRecord()).end.reason).toBe('login-refused');
      expect((await all.jar.get('/')).status).toBe(302);
      expect(all.shop.requests).toBe(0);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix(
  'a code that was used is refused by the provider, also with the cookies of then',
  async (stage) => {
    const { jar, provider } = await world(stage);
    const callback = provider.logIn((await jar.get('/')).header('location') ?? '');
    const thief = jar.copy();
    expect((await jar.get(callback)).status).toBe(303);
    expect((await thief.get(callback)).status).toBe(403);
    expect((await jar.get(callback)).status).toBe(400);
  },
  { without: ONE_PROTOCOL },
);

for (const [path, goes] of [
  ['//evil.test/a', '/evil.test/a'],
  ['/\\\\evil.test', '/%5C%5Cevil.test'],
  ['/a?next=//evil.test', '/a?next=//evil.test'],
  [`/a?${'x'.repeat(3_000)}`, '/a'],
] as const) {
  matrix(
    `who begins at ${path.slice(0, 30)} stays on this host after the login`,
    async (stage) => {
      const [provider, shop] = [await openIdProvider(), await stage.origin()];
      // The most that paths may be.
      const listener = { path: { duplicateSlashes: 'keep', encodedSlash: 'keep', backslash: 'keep' } } as const;
      const front = await stage.gateway(forwardTo(shop, { listener, route: { auth: auth(provider) } as never }));
      const away = await front.send({ path, headers: NAVIGATION });
      const [cookie = ''] = (away.header('set-cookie') ?? '').split(';');
      const callback = new URL(provider.logIn(away.header('location') ?? ''));
      const request = { path: `${callback.pathname}${callback.search}`, headers: [...NAVIGATION, 'Cookie', cookie] };
      expect((await front.send(request)).header('location')).toBe(goes);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix(
  'two tabs log in, each comes back to where it was',
  async (stage) => {
    const { jar, provider } = await world(stage);
    const [one, two] = [await jar.get('/one'), await jar.get('/two')];
    expect((await jar.get(provider.logIn(two.header('location') ?? ''))).header('location')).toBe('/two');
    expect((await jar.get(provider.logIn(one.header('location') ?? ''))).header('location')).toBe('/one');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a reload with a new secret before the old one keeps everybody logged in, and seals with the new one',
  async (stage) => {
    const [old, fresh] = ['an old secret of thirty-two characters', 'a new secret of thirty-two characters'];
    const all = await world(stage, { oidc: { sessionSecret: old } });
    await logIn(all);
    const reloaded = async (sessionSecret: readonly string[]): Promise<void> => {
      const route = { auth: auth(all.provider, { sessionSecret }) } as Partial<RouteConfig>;
      expect((await all.front.reload(forwardTo(all.shop, { route }))).result).toBe('applied');
    };
    await reloaded([fresh, old]);
    const late = all.jar.copy();
    expect([(await all.jar.get('/')).status, (await all.jar.get('/')).all('set-cookie').length]).toEqual([200, 0]);
    await reloaded([fresh]);
    expect([(await all.jar.get('/')).status, (await late.get('/')).status]).toEqual([200, 302]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a wrong secret of the gateway is 503, after it was sent in both ways',
  async (stage) => {
    const all = await world(stage, { oidc: { clientSecret: 'wrong' } });
    expect((await logIn(all)).status).toBe(503);
    expect(all.provider.count('/token')).toBe(2);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a login that the user breaks off is 403',
  async (stage) => {
    const all = await world(stage);
    all.provider.refuses = 'login';
    expect((await logIn(all)).status).toBe(403);
    await all.front.gateway.nextRecord();
    expect((await all.front.gateway.nextRecord()).end.reason).toBe('login-denied');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'what a script asks for is 401 and goes to no provider, and so is an upload, of which nothing is read',
  async (stage) => {
    const { jar, shop, provider } = await world(stage);
    const fetched = await jar.get('/', { headers: ['Accept', 'application/json', 'Sec-Fetch-Mode', 'cors'] });
    expect([fetched.status, fetched.header('location'), fetched.header('www-authenticate')]).toEqual([
      401,
      null,
      'Cookie realm="login"',
    ]);
    const upload = await jar.get('/', {
      method: 'POST',
      headers: ['Content-Length', '1000000', 'Expect', '100-continue'],
    });
    expect([upload.status, upload.informational.length]).toEqual([401, 0]);
    expect([shop.requests, provider.asked]).toEqual([0, []]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a provider that is down stops nobody who is logged in, and is found when it is back',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const all = await world(stage, {}, { clock });
    const { jar, provider } = all;
    provider.isDown = true;
    const unavailable = await jar.get('/');
    expect([unavailable.status, unavailable.header('retry-after')]).toEqual([503, '5']);
    expect((await all.front.gateway.nextRecord()).end.reason).toBe('oidc-unavailable');
    provider.isDown = false;
    // It is not asked by each request while it is down.
    expect((await jar.get('/')).status).toBe(503);
    clock.advance(2_000);
    await logIn(all);
    provider.isDown = true;
    clock.advance(300_000);
    expect((await jar.get('/')).status).toBe(200);
    clock.advance(3_600_000);
    expect((await jar.get('/')).status).toBe(302);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'tokens are refreshed by the request that finds them old, once for all that come with it',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const all = await world(stage, { oidc: { forwardToken: 'access' } }, { clock });
    const { jar, provider, shop } = all;
    await logIn(all);
    await jar.get('/');
    clock.advance(300_000);
    const replies = await Promise.all([jar.copy().get('/'), jar.copy().get('/'), jar.copy().get('/')]);
    expect(replies.map(({ status, all: fields }) => [status, fields.length])).toEqual(replies.map(() => [200, 1]));
    for (const reply of replies) expect(reply.all('set-cookie')).toHaveLength(1);
    expect(provider.count('/token')).toBe(2);
    const [first, ...later] = shop.received.map((received) => received.header('authorization'));
    expect(first).toMatch(/^Bearer access-/);
    expect(new Set(later).size).toBe(1);
    expect(later[0]).not.toBe(first);
    expect(provider.asked.filter((path) => path === '/.well-known/openid-configuration')).toHaveLength(1);
  },
  { without: ONE_PROTOCOL },
);

for (const [what, set] of [
  ['is refused', (provider: OpenIdProvider) => Object.assign(provider, { refuses: 'refresh' })],
  ['is about somebody else', (provider: OpenIdProvider) => Object.assign(provider, { lies: 'subject' })],
] as const) {
  matrix(
    `a refresh that ${what} means another login`,
    async (stage) => {
      const clock = new ManualClock(Date.now());
      const all = await world(stage, {}, { clock });
      await logIn(all);
      clock.advance(300_000);
      set(all.provider);
      expect((await all.jar.get('/')).status).toBe(302);
      expect(all.shop.requests).toBe(0);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix(
  'endpoints are told who it is, and by nobody else',
  async (stage) => {
    const headers = { 'X-User': '{auth.user}', 'X-Groups': '{claim.groups}', 'X-Level': '{claim.level}' };
    const oidc = { userClaim: 'email', userinfo: true, claims: ['email', 'groups', 'level'] };
    const all = await world(stage, { oidc, route: { auth: { headers } } as Partial<RouteConfig> });
    all.provider.userinfo = { level: 3, email: 'evil@shop.test' };
    await logIn(all);
    await all.jar.get('/', { headers: ['X-User', 'root', 'X-Groups', 'root'] });
    const [received] = all.shop.received;
    expect(['x-user', 'x-groups', 'x-level'].map((name) => received?.header(name))).toEqual([
      'ann@shop.test',
      'staff',
      '3',
    ]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'who is in none of the groups is 403, and stays logged in',
  async (stage) => {
    const require = { claims: { groups: { contains: 'admin' } } };
    const clock = new ManualClock(Date.now());
    const all = await world(stage, { route: { auth: { require } as never } }, { clock });
    await logIn(all);
    const refused = await all.jar.get('/');
    expect([refused.status, refused.header('location'), all.shop.requests]).toEqual([403, null, 0]);
    all.provider.claims = { sub: 'u1', groups: ['staff', 'admin'] };
    clock.advance(300_000);
    expect((await all.jar.get('/')).status).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a stored response is for whom it was made, and for nobody who is not logged in',
  async (stage) => {
    const shop = await stage.origin({
      script: [{ respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'x' }],
    });
    const provider = await openIdProvider();
    const headers = { 'X-User': '{auth.user}' };
    const route = { cache: true, auth: { ...auth(provider), headers } } as Partial<RouteConfig>;
    const front = await stage.gateway(forwardTo(shop, { route }));
    const [ann, bob] = [new CookieJar(front), new CookieJar(front)];
    await logIn({ jar: ann, provider });
    provider.claims = { sub: 'u2' };
    await logIn({ jar: bob, provider });
    const status = async (jar: CookieJar): Promise<string | null> => (await jar.get('/')).header('cache-status');
    expect(await status(ann)).toContain('fwd=uri-miss');
    expect(await status(ann)).toContain('hit');
    expect(await status(bob)).toContain('fwd=uri-miss');
    expect(shop.received.map((received) => received.header('x-user'))).toEqual(['u1', 'u2']);
    expect((await new CookieJar(front).get('/')).status).toBe(302);
    expect((await new CookieJar(front).get('/', { headers: [] })).status).toBe(401);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'no endpoint of the host sees the session, whether or not its route asks for one',
  async (stage) => {
    const [provider, shop] = [await openIdProvider(), await stage.origin()];
    const config = forwardTo(shop, { route: { auth: auth(provider) } as Partial<RouteConfig> });
    const open: RouteConfig = { match: { path: '/open/**' }, pool: 'shop' };
    const front = await stage.gateway({ ...config, routes: [...(config.routes ?? []), open] });
    const jar = new CookieJar(front);
    jar.cookies.set('theme', 'dark');
    await logIn({ jar, provider });
    await jar.get('/');
    await jar.get('/open/a');
    expect(shop.received.map((received) => received.header('cookie'))).toEqual(['theme=dark', 'theme=dark']);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a response that sets the session is for no cache on the way, whatever the endpoint says',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const shop = await stage.origin({ script: [{ respond: 200, headers: ['Cache-Control', 'public, max-age=60'] }] });
    const provider = await openIdProvider();
    const front = await stage.gateway(forwardTo(shop, { route: { auth: auth(provider) } as Partial<RouteConfig> }), {
      clock,
    });
    const jar = new CookieJar(front);
    await logIn({ jar, provider });
    expect((await jar.get('/')).all('cache-control')).toEqual(['public, max-age=60']);
    clock.advance(300_000);
    const renewed = await jar.get('/');
    expect([renewed.all('set-cookie').length, renewed.all('cache-control')]).toEqual([
      1,
      ['public, max-age=60', 'private'],
    ]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a session of two cookies shrinks to one, and none of them goes upstream',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const all = await world(stage, {}, { clock });
    const { claims } = all.provider;
    all.provider.claims = { ...claims, groups: ['x'.repeat(1_200)] };
    await logIn(all);
    expect(all.jar.cookies.size).toBe(2);
    all.provider.claims = claims;
    clock.advance(300_000);
    expect((await all.jar.get('/')).status).toBe(200);
    expect(all.jar.cookies.size).toBe(1);
    expect(all.shop.received[0]?.header('cookie')).toBeNull();
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a session cookie that was tampered with is a login more',
  async (stage) => {
    const all = await world(stage);
    await logIn(all);
    const [name, value] = [...all.jar.cookies][0] as [string, string];
    for (const forged of [`${value}A`, value.slice(0, -1), value.replace('1.', '2.'), 'x', '']) {
      const forger = all.jar.copy();
      forger.cookies.set(name, forged);
      expect((await forger.get('/')).status).toBe(302);
    }
    expect(all.shop.requests).toBe(0);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a reload keeps everybody logged in',
  async (stage) => {
    const all = await world(stage);
    await logIn(all);
    const route = { auth: auth(all.provider, { afterLogout: '/bye' }) } as Partial<RouteConfig>;
    await all.front.reload(forwardTo(all.shop, { route }));
    expect((await all.jar.get('/')).status).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'nothing secret is in the log',
  async (stage) => {
    const all = await world(stage);
    await logIn(all);
    await all.jar.get('/');
    const lines: string[] = [];
    const log = new JsonAccessLog({ write: (line: string) => lines.push(line) } as never, {} as never);
    for (const record of all.front.gateway.records) log.finished(record);
    expect(lines[1]).toContain('"path":"/.headgate/oidc/callback"');
    for (const secret of [CLIENT_SECRET, 'headgate-', 'access-', 'code=', 'state=']) {
      expect(lines.join('')).not.toContain(secret);
    }
  },
  { without: ONE_PROTOCOL },
);

matrix('a WebSocket needs a session', async (stage) => {
  const provider = await openIdProvider();
  const route = { auth: auth(provider) } as Partial<RouteConfig>;
  const front = await stage.gateway(forwardTo(await echoOrigin(), { route }));
  await expect(openWebSocket(front)).rejects.toThrow('401');
  const jar = new CookieJar(front);
  await logIn({ jar, provider });
  await (await openWebSocket(front, '/ws', jar.header)).echo('hello');
});

matrix(
  'a logout ends the session here and goes on to the provider',
  async (stage) => {
    const all = await world(stage, { oidc: { afterLogout: '/bye' } });
    await logIn(all);
    const { jar, provider, front } = all;
    const page = await jar.get('/.headgate/oidc/logout');
    expect([page.status, page.header('content-security-policy')]).toEqual([
      200,
      expect.stringContaining("frame-ancestors 'none'"),
    ]);
    expect((await jar.get('/.headgate/oidc/logout', { headers: ['Sec-Fetch-Site', 'cross-site'] })).status).toBe(200);
    const foreign = { method: 'POST', headers: ['Origin', 'https://evil.test', 'Content-Length', '0'] };
    expect((await jar.get('/.headgate/oidc/logout', foreign)).status).toBe(403);
    expect((await jar.get('/')).status).toBe(200);
    const own = { method: 'POST', headers: ['Sec-Fetch-Site', 'same-origin', 'Content-Length', '0'] };
    const away = await jar.get('/.headgate/oidc/logout', own);
    const { origin, pathname, searchParams } = new URL(away.header('location') ?? '');
    expect([away.status, origin, pathname]).toEqual([303, provider.issuer, '/logout']);
    expect(searchParams.get('post_logout_redirect_uri')).toBe(`${front.scheme}://shop.test/bye`);
    expect(searchParams.get('id_token_hint')?.split('.')).toHaveLength(3);
    expect([jar.cookies.size, (await jar.get('/')).status]).toEqual([0, 302]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'beside keys for robots, browsers go to the login, and the session goes nowhere',
  async (stage) => {
    const digest = createHash('sha256').update('a key of robots').digest('hex');
    const apiKey = { keys: [{ name: 'ci', key: `sha256:${digest}` }] };
    const all = await world(stage, { route: { auth: { apiKey } } as never });
    const { jar, shop } = all;
    expect((await jar.get('/')).status).toBe(302);
    expect((await jar.get('/', { headers: [] })).status).toBe(401);
    await logIn(all);
    expect((await jar.get('/', { headers: ['X-API-Key', 'a key of robots'] })).status).toBe(200);
    expect(shop.received[0]?.header('cookie')).toBeNull();
  },
  { without: ONE_PROTOCOL },
);
