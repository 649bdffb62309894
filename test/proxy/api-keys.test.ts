import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { basic, digestOf, HASH_OF_PASSWORD, temporaryFile } from '../kit/auth.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Received } from '../kit/received.ts';

const keys = [
  { name: 'ci', key: digestOf('key-of-ci'), claims: { team: 'build', roles: ['read', 'write'] } },
  { name: 'shop', key: digestOf('key-of-shop'), expires: '2026-01-02' },
  { name: 'gone', key: digestOf('key-of-gone'), disabled: true },
];
const headers = { 'X-Client': '{auth.user}', 'X-Team': '{claim.team}', 'X-Roles': '{claim.roles}' };

/** The request that came last. */
function latest({ received }: Origin): Received {
  const last = received.at(-1);
  if (last === undefined) throw new Error('None has come');
  return last;
}

matrix('a key lets the request through, and its metadata go to the endpoint', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route: { auth: { apiKey: { keys }, headers } } }));
  const reply = await front.send({ headers: ['x-api-key', 'key-of-ci', 'X-Team', 'admin'] });
  expect(reply.status).toBe(200);
  const received = latest(shop);
  expect(['x-api-key', 'x-client', 'x-team', 'x-roles'].map((name) => received.all(name))).toEqual([
    ...[[], ['ci'], ['build'], ['read,write']],
  ]);
  expect(await front.gateway.nextRecord()).toMatchObject({ user: 'ci' });
});

matrix('a key is refused when it is unknown, over, switched off, or none', async ({ gateway, origin }) => {
  const clock = new ManualClock(Date.UTC(2026, 0, 1, 23, 59, 59));
  const shop = await origin({ script: ['read head', 'respond 200'] });
  const front = await gateway(forwardTo(shop, { route: { auth: { apiKey: { keys } } } }), { clock });
  const connection = await front.connect();
  const send = async (...list: readonly string[]) => {
    const reply = await connection.send({ headers: list });
    const { end } = await front.gateway.nextRecord();
    return [reply.status, end.reason, reply.header('www-authenticate')];
  };
  const CHALLENGE = 'ApiKey realm="headgate", header="X-API-Key"';
  expect(await send('X-API-Key', 'key-of-shop')).toEqual([200, 'complete', null]);
  clock.advance(1_000);
  expect(await send('X-API-Key', 'key-of-shop')).toEqual([401, 'api-key-expired', CHALLENGE]);
  expect(await send('X-API-Key', 'key-of-gone')).toEqual([401, 'api-key-disabled', CHALLENGE]);
  expect(await send('X-API-Key', 'key-of-c')).toEqual([401, 'api-key-unknown', CHALLENGE]);
  expect(await send()).toEqual([401, 'credentials-missing', CHALLENGE]);
  expect(await send('X-API-Key', 'key-of-ci', 'X-API-Key', 'key-of-ci')).toEqual([
    401,
    'credentials-malformed',
    CHALLENGE,
  ]);
  expect(shop.requests).toBe(1);
});

matrix('a key in the query goes no further: not to the endpoint, the log or the cache', async ({ gateway, origin }) => {
  const file = temporaryFile('access.log', '');
  const fresh = { respond: 200, headers: ['Cache-Control', 'max-age=60'], body: 'stored' } as const;
  const shop = await origin({ script: [fresh] });
  const auth = { apiKey: { keys, query: 'key' } };
  const more = { ...keys[0], name: 'other', key: digestOf('key-of-other') };
  const front = await gateway(
    forwardTo(shop, {
      route: { auth: { apiKey: { ...auth.apiKey, keys: [...keys, more] } }, cache: true },
      rest: { accessLog: { file } },
    }),
    { accessLog: true },
  );
  expect((await front.send({ path: '/a?x=1&key=key-of-ci&y=2' })).status).toBe(200);
  expect(latest(shop).target).toBe('/a?x=1&y=2');
  // Nothing tells the endpoint who asks, so that what it says is for all who may ask.
  const other = await front.send({ path: '/a?x=1&y=2&key=key-of-other' });
  expect([other.status, other.header('cache-status')]).toEqual([200, expect.stringMatching(/^headgate; hit;/)]);
  expect((await front.send({ path: '/a?x=1&y=2' })).status).toBe(401);
  await front.gateway.gateway.close();
  expect(readFileSync(file, 'utf8')).not.toContain('key-of');
});

matrix(
  'of several ways the one that is used decides; without any, all are told',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const auth = {
      apiKey: { keys, header: 'Authorization', scheme: 'Bearer' },
      basic: { users: { ann: HASH_OF_PASSWORD } },
      headers,
    };
    const front = await gateway(forwardTo(shop, { route: { auth } }));
    const status = async (list: readonly string[]): Promise<number> => (await front.send({ headers: list })).status;
    expect(await status(['Authorization', 'Bearer key-of-ci'])).toBe(200);
    expect(latest(shop).header('x-client')).toBe('ci');
    expect(await status(basic('ann', 'password'))).toBe(200);
    expect(latest(shop).header('x-client')).toBe('ann');
    expect(await status(['Authorization', 'Bearer password'])).toBe(401);
    const { fields } = await front.send({});
    expect(fields.all('www-authenticate')).toEqual([
      ...['Basic realm="headgate", charset="UTF-8"', 'Bearer realm="headgate"'],
    ]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'where all are needed, each is',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const auth = { satisfy: 'all', basic: { users: { ann: HASH_OF_PASSWORD } }, apiKey: { keys }, headers } as const;
    const front = await gateway(forwardTo(shop, { route: { auth } }));
    const status = async (list: readonly string[]): Promise<number> => (await front.send({ headers: list })).status;
    const user = basic('ann', 'password');
    const key = ['X-API-Key', 'key-of-ci'];
    expect([await status(user), await status(key), await status([...key, ...basic('ann', 'x')])]).toEqual([
      401, 401, 401,
    ]);
    expect(await status([...key, ...user])).toBe(200);
    const received = latest(shop);
    const names = ['x-client', 'x-team', 'authorization', 'x-api-key'];
    expect(names.map((name) => received.header(name))).toEqual(['ann', 'build', null, null]);
  },
  { without: ONE_PROTOCOL },
);

async function untilStatus(front: Front, key: string, status: number): Promise<void> {
  const connection = await front.connect();
  for (;;) if ((await connection.send({ headers: ['X-API-Key', key] })).status === status) return;
}

matrix(
  'a file of keys is read again when it has changed',
  async ({ gateway, origin }) => {
    const file = temporaryFile('keys.yaml', `- { name: one, key: '${digestOf('one')}' }\n`);
    const config = forwardTo(await origin(), { route: { auth: { apiKey: { file } } } });
    const clock = new ManualClock(Date.now());
    const front = await gateway(config, { clock });
    await untilStatus(front, 'one', 200);
    writeFileSync(file, `- name: two\n  key: '${digestOf('two')}'\n  expires: 2126-01-01T00:00:00Z\n`);
    clock.advance(2_000);
    await untilStatus(front, 'two', 200);
    expect((await front.send({ headers: ['X-API-Key', 'one'] })).status).toBe(401);
  },
  { without: ONE_PROTOCOL },
);

test('what can’t be used is a mistake at its place', async () => {
  const gateway = await startTestGateway({ routes: [{ respond: {} }] }, { tolerance: 'strict' });
  const mistakes = async (apiKey: unknown, more = {}): Promise<readonly string[]> => {
    const auth = { apiKey: apiKey as { file: string }, ...more };
    const report = await gateway.reload({ routes: [{ respond: {}, auth }] });
    return report.diagnostics.map(({ message, suggestion }) => `${message} ${suggestion ?? ''}`);
  };
  const one = { name: 'a', key: digestOf('a') };
  expect(await mistakes({ keys: [one, { ...one, name: 'b' }] })).toEqual([
    expect.stringMatching(/key “b” is the same as another one’s/),
  ]);
  expect(await mistakes({ keys: [one, { ...one, key: digestOf('b') }] })).toEqual([
    expect.stringMatching(/key “a” stands in it twice/),
  ]);
  expect(await mistakes({ keys: [{ name: 'a', key: 'secret' }] })).toEqual([
    'a key is written as sha256: and the 64 hex digits of its digest ',
  ]);
  expect(await mistakes({ keys: [{ ...one, expires: 'tomorrow' }] })).toEqual([expect.stringMatching(/2027-01-31/)]);
  expect(await mistakes({ keys: [one], header: 'Host' })).toEqual([
    expect.stringMatching(/Host is chosen by the pool/),
  ]);
  expect(await mistakes({ keys: [one], header: 'authorization' })).toEqual([
    expect.stringMatching(/Authorization has a scheme before the key: give scheme: Bearer/),
  ]);
  expect(await mistakes({ file: temporaryFile('keys.yaml', '- { name: a, key: secret }\n') })).toEqual([
    expect.stringMatching(/cannot use .*keys\.yaml: 1:14: a key is written as sha256: and the 64 hex digits/),
  ]);
  const jwt = { secret: 'x'.repeat(32), issuer: 'any', audience: 'any' };
  expect(await mistakes({ keys: [one], header: 'Authorization', scheme: 'Bearer' }, { jwt })).toEqual([
    expect.stringMatching(/jwt reads Authorization: Bearer too/),
  ]);
  expect(await mistakes({ file: temporaryFile('keys.yaml', '') })).toEqual([
    expect.stringMatching(/the file is empty/),
  ]);
});
