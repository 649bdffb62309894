import { expect } from 'vitest';
import { forwardTo } from '../kit/config.ts';
import { matrix } from '../kit/matrix.ts';

/** Of “password”, from the tests of the reference implementation: as cheap as argon2 can be. */
const HASH = '$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4';

const route = { auth: { basic: { users: { ann: HASH }, realm: 'Shop' }, headers: { 'X-User': '{auth.user}' } } };

function basic(user: string, password: string): readonly string[] {
  return ['Authorization', `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`];
}

matrix('a right password lets the request through, and the endpoint is told who it is', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route }));
  expect((await front.send({ headers: basic('ann', 'password') })).status).toBe(200);
  const received = await shop.request();
  expect([received.header('x-user'), received.header('authorization')]).toEqual(['ann', null]);
  expect(await front.gateway.nextRecord()).toMatchObject({ user: 'ann' });
});

matrix('everything else is 401 with a challenge, and costs no connection upstream', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route }));
  const connection = await front.connect();
  const cases = [
    [[], 'credentials-missing'],
    [basic('ann', 'passwort'), 'credentials-wrong'],
    [basic('bob', 'password'), 'credentials-wrong'],
    [['Authorization', 'Basic !'], 'credentials-malformed'],
    [['Authorization', 'Bearer abc'], 'credentials-missing'],
  ] as const;
  for (const [headers, reason] of cases) {
    const reply = await connection.send({ headers });
    expect([reply.status, reply.all('www-authenticate')]).toEqual([401, ['Basic realm="Shop", charset="UTF-8"']]);
    expect(reply.header('proxy-status')).toBe('headgate; error=http_request_denied');
    expect(await front.gateway.nextRecord()).toMatchObject({ end: { reason }, user: null });
  }
  expect(shop.accepted).toBe(0);
});
