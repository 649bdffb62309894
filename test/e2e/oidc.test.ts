import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider from 'oidc-provider';
import { expect, test } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { CookieJar } from '../kit/cookie-jar.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { Front } from '../kit/matrix.ts';
import { type Origin, origin } from '../kit/origin.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { LoginVisitor } from './kit/login-visitor.ts';

/*
 * The tour of a login at a provider that others have written and certified, with its own pages. What a provider may do wrong is in test/proxy/oidc-login.test.ts.
 */

const HOST = 'https://shop.test';
const SECRET = 'secret-of-the-client';

interface World {
  readonly front: Front;
  readonly jar: CookieJar;
  readonly shop: Origin;
  readonly visitor: LoginVisitor;
  readonly clock: ManualClock;
  readonly groups: string[];
  readonly provider: Provider;
  readonly server: Server;
}

async function listening(): Promise<Server> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(async () => {
    server.closeAllConnections();
    if (!server.listening) return;
    server.close();
    await once(server, 'close');
  });
  return server;
}

function providerAt(
  issuer: string,
  groups: readonly string[],
  method: 'client_secret_basic' | 'client_secret_post',
): Provider {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return new Provider(issuer, {
    clients: [
      {
        client_id: 'gateway',
        client_secret: SECRET,
        redirect_uris: [`${HOST}/.headgate/oidc/callback`],
        post_logout_redirect_uris: [`${HOST}/bye`],
        grant_types: ['authorization_code', 'refresh_token'],
        response_types: ['code'],
        id_token_signed_response_alg: 'ES256',
        token_endpoint_auth_method: method,
      },
    ],
    jwks: { keys: [{ ...privateKey.export({ format: 'jwk' }), alg: 'ES256', use: 'sig', kid: 'k1' }] },
    cookies: { keys: ['cookies of the provider'] },
    claims: { openid: ['sub'], email: ['email'], groups: ['groups'] },
    conformIdTokenClaims: false,
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    findAccount: (_context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, email: `${id}@shop.test`, groups: [...groups] }),
    }),
  });
}

async function world(
  over: Record<string, unknown> = {},
  method: 'client_secret_basic' | 'client_secret_post' = 'client_secret_basic',
): Promise<World> {
  const server = await listening();
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const groups = ['staff'];
  const provider = providerAt(issuer, groups, method);
  server.on('request', provider.callback());
  const shop = await origin();
  const clock = new ManualClock(Date.now());
  const oidc = {
    issuer,
    clientId: 'gateway',
    clientSecret: SECRET,
    scopes: ['openid', 'email', 'groups'],
    afterLogout: '/bye',
    ...over,
  };
  const auth = {
    oidc,
    require: { claims: { groups: { contains: 'staff' } } },
    headers: { 'X-User': '{auth.user}', 'X-Email': '{claim.email}' },
  };
  const config = forwardTo(shop, { listener: { tls: { names: ['shop.test'] } }, route: { auth } as never });
  const front = new Front(await startTestGateway(config, { clock }), 'lane-tls');
  return { front, jar: new CookieJar(front), shop, visitor: new LoginVisitor(), clock, groups, provider, server };
}

/** From `path` to the login and back; the callback of the gateway, not yet asked for. */
async function callbackOf({ jar, visitor }: World, path = '/carts/7?tab=1', user = 'ann'): Promise<string> {
  const away = await jar.get(path);
  expect(away.status).toBe(302);
  return visitor.walk(away.header('location') ?? '', { login: user, password: 'x' }, HOST);
}

for (const [how, method] of [
  ['in a field', 'client_secret_basic'],
  ['in the body', 'client_secret_post'],
] as const) {
  test(`a person logs in with the provider's own pages; the secret goes ${how}`, async () => {
    const all = await world({}, method);
    const back = await all.jar.get(await callbackOf(all));
    expect([back.status, back.header('location')]).toEqual([303, '/carts/7?tab=1']);
    expect((await all.jar.get('/carts/7?tab=1')).status).toBe(200);
    const [received] = all.shop.received;
    expect([received?.header('x-user'), received?.header('x-email'), received?.header('cookie')]).toEqual([
      'ann',
      'ann@shop.test',
      null,
    ]);
  });
}

test('a code is good once, also for who has the cookies', async () => {
  const all = await world();
  const callback = await callbackOf(all);
  const thief = all.jar.copy();
  expect((await all.jar.get(callback)).status).toBe(303);
  expect((await thief.get(callback)).status).toBe(403);
});

test('a code with another’s state is refused before the provider is asked', async () => {
  const all = await world();
  const [one, two] = [await callbackOf(all), await callbackOf(all, '/two')];
  const mixed = new URL(one);
  mixed.searchParams.set('state', new URL(two).searchParams.get('state') ?? '');
  // The right state for the cookie, and a code that was given for another challenge.
  expect((await all.jar.get(mixed.href)).status).toBe(403);
  mixed.searchParams.set('state', 'A'.repeat(43));
  expect((await all.jar.get(mixed.href)).status).toBe(400);
});

test('two tabs log in, each comes back to where it was', async () => {
  const all = await world();
  const [one, two] = [await callbackOf(all, '/one'), await callbackOf(all, '/two')];
  expect((await all.jar.get(two)).header('location')).toBe('/two');
  expect((await all.jar.get(one)).header('location')).toBe('/one');
});

test('refresh tokens are used once each, however many requests come', async () => {
  const all = await world({ forwardToken: 'access' });
  await all.jar.get(await callbackOf(all));
  for (let hour = 1; hour <= 3; hour += 1) {
    all.clock.advance(3_590_000);
    const replies = await Promise.all([1, 2, 3, 4].map(() => all.jar.copy().get('/')));
    expect(replies.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
    expect((await all.jar.get('/')).status).toBe(200);
  }
  const tokens = new Set(all.shop.received.map((received) => received.header('authorization')));
  expect(tokens.size).toBe(3);
});

test('who is put out of the group is 403 when the token ends', async () => {
  const all = await world();
  await all.jar.get(await callbackOf(all));
  expect((await all.jar.get('/')).status).toBe(200);
  all.groups.length = 0;
  all.clock.advance(3_600_000 - 1);
  expect((await all.jar.get('/')).status).toBe(403);
  expect(all.shop.requests).toBe(1);
});

test('a provider that is stopped stops nobody who is logged in, and logs people in when it is back', async () => {
  const all = await world();
  await all.jar.get(await callbackOf(all));
  const { port } = all.server.address() as AddressInfo;
  all.server.closeAllConnections();
  all.server.close();
  await once(all.server, 'close');
  all.clock.advance(3_590_000);
  expect((await all.jar.get('/')).status).toBe(200);
  all.server.listen(port, '127.0.0.1');
  await once(all.server, 'listening');
  all.clock.advance(15_000);
  const reply = await all.jar.get('/');
  expect([reply.status, reply.all('set-cookie').length]).toEqual([200, 1]);
});

test('a logout ends both sessions, and comes back', async () => {
  const all = await world();
  await all.jar.get(await callbackOf(all));
  const away = await all.jar.get('/.headgate/oidc/logout', { headers: ['Sec-Fetch-Site', 'same-origin'] });
  expect(await all.visitor.walk(away.header('location') ?? '', { logout: 'yes' }, HOST)).toBe(`${HOST}/bye`);
  const again = await all.jar.get('/');
  expect(again.status).toBe(302);
  // The provider asks who it is again: another one may say so.
  await all.jar.get(await all.visitor.walk(again.header('location') ?? '', { login: 'bob', password: 'x' }, HOST));
  await all.jar.get('/');
  expect(all.shop.received[0]?.header('x-user')).toBe('bob');
});
