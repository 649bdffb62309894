import { expect } from 'vitest';
import { basic, digestOf, HASH_OF_PASSWORD } from '../kit/auth.ts';
import { forwardTo } from '../kit/config.ts';
import { matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import { signingKey, token, unsigned } from '../kit/tokens.ts';

const ISSUER = { issuer: 'https://issuer.test', audience: 'shop' };
const apiKey = { keys: [{ name: 'ci', key: digestOf('key') }] };

matrix(
  'a forged token beside good credentials of another way does not get to the endpoint, which believes what comes this way',
  async ({ gateway, origin }) => {
    const [mine, shop] = [await signingKey(), await origin()];
    const from = ['bearer', { header: 'X-Token' }, { cookie: 'token' }, { query: 'token' }] as const;
    const jwt = { ...ISSUER, publicKeys: mine.pem, from: [...from] };
    const basicWay = { users: { ann: HASH_OF_PASSWORD }, forwardCredentials: true };
    const front = await gateway(forwardTo(shop, { route: { auth: { apiKey, jwt, basic: basicWay } } }));
    const forged = unsigned({ alg: 'ES256', kid: 'k1' });
    const tokens = [
      ...['Authorization', `Bearer ${forged}`, 'X-Token', forged],
      ...['Cookie', `a=1; token=${forged}`, 'Cookie', `b=2; token=${forged}`],
    ];
    const path = `/?a=1&token=${forged}`;
    expect((await front.send({ path, headers: ['X-API-Key', 'key', ...tokens] })).status).toBe(200);
    const [received] = shop.received;
    expect(received?.head).not.toContain(forged);
    expect([received?.target, received?.all('cookie').join('; ')]).toEqual(['/?a=1', 'a=1; b=2']);
    // The way that decides may send on what it has looked at.
    const sound = await token(mine);
    expect((await front.send({ path: '/?token=x', headers: [...basic('ann', 'password')] })).status).toBe(200);
    expect(shop.received.at(-1)?.all('authorization')).toEqual([basic('ann', 'password')[1]]);
    expect((await front.send({ headers: ['Authorization', `Bearer ${sound}`] })).status).toBe(200);
    expect(shop.received.at(-1)?.all('authorization')).toEqual([`Bearer ${sound}`]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'nor does a second token of the same way, in another place than the one that was verified',
  async ({ gateway, origin }) => {
    const [mine, shop] = [await signingKey(), await origin()];
    const from = [{ cookie: 'id' }, 'bearer', { header: 'X-Token' }, { cookie: 'old' }, { query: 'token' }] as const;
    const jwt = { ...ISSUER, publicKeys: mine.pem, from: [...from] };
    const front = await gateway(forwardTo(shop, { route: { auth: { jwt } } }));
    const [sound, forged] = [await token(mine), unsigned({ alg: 'ES256', kid: 'k1' })];
    const headers = ['Authorization', `Bearer ${sound}`, 'X-Token', forged, 'Cookie', `a=1; old=${forged}`];
    expect((await front.send({ path: `/?token=${forged}`, headers })).status).toBe(200);
    const [received] = shop.received;
    expect(received?.head).not.toContain(forged);
    expect([received?.all('authorization'), received?.all('cookie')]).toEqual([[`Bearer ${sound}`], ['a=1']]);
    await front.send({ headers: ['Cookie', `id=${sound}; a=2`, 'Authorization', `Bearer ${forged}`] });
    expect([shop.received.at(-1)?.all('authorization'), shop.received.at(-1)?.all('cookie')]).toEqual([
      [],
      [`id=${sound}; a=2`],
    ]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'nor an Authorization of the client where endpoints take it for what an auth service says',
  async ({ gateway, origin }) => {
    const [shop, service] = [await origin(), await origin()];
    const forward = { url: `http://127.0.0.1:${service.port}/`, responseHeaders: ['Authorization'] };
    const front = await gateway(forwardTo(shop, { route: { auth: { apiKey, forward } } }));
    const headers = ['X-API-Key', 'key', 'Authorization', 'Bearer forged'];
    expect((await front.send({ headers })).status).toBe(200);
    expect([shop.received[0]?.all('authorization'), service.requests]).toEqual([[], 0]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'an auth service sees no session of a login: it is for the gateway alone, on whatever route',
  async ({ gateway, origin }) => {
    const [shop, service] = [await origin(), await origin()];
    const url = `http://127.0.0.1:${service.port}/`;
    const oidc = { issuer: 'http://127.0.0.1:1', clientId: 'c', cookie: { name: 'login' } };
    const front = await gateway({
      pools: { shop: { endpoints: [`127.0.0.1:${shop.port}`] } },
      routes: [
        { match: { path: '/a/**' }, pool: 'shop', auth: { oidc } },
        { match: { path: '/b/**' }, pool: 'shop', auth: { forward: { url } } },
      ],
    });
    await front.send({
      path: '/b/',
      headers: ['Cookie', 'a=1; login=1.x; login.1=y; __Host-login=1.z; login.login.k=v'],
    });
    expect(service.received[0]?.all('cookie')).toEqual(['a=1']);
  },
  { without: ONE_PROTOCOL },
);
