import { writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { basic, HASH_OF_PASSWORD, HASH_OF_UU, temporaryFile } from '../kit/auth.ts';
import { forwardTo } from '../kit/config.ts';
import { startTestGateway } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, HTTP1_ONLY, matrix, ONE_PROTOCOL } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Received } from '../kit/received.ts';
import { handshake } from '../kit/upgrade.ts';

const users = { ann: HASH_OF_PASSWORD, bob: HASH_OF_UU, zoë: HASH_OF_PASSWORD };
const route = { auth: { basic: { users, realm: 'Shop' }, headers: { 'X-User': '{auth.user}' } } };
const CHALLENGE = 'Basic realm="Shop", charset="UTF-8"';

/** The request that came last. */
function latest({ received }: Origin): Received {
  const last = received.at(-1);
  if (last === undefined) throw new Error('None has come');
  return last;
}

matrix('a right password lets the request through, and the endpoint is told who it is', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route }));
  const connection = await front.connect();
  const users = [
    ['ann', 'password', 'ann'],
    ['bob', 'U*U', 'bob'],
    ['zoë', 'password', 'zo\xc3\xab'],
    // The second time it is known.
    ['ann', 'password', 'ann'],
  ] as const;
  for (const [user, password, octets] of users) {
    expect((await connection.send({ headers: basic(user, password) })).status).toBe(200);
    const received = latest(shop);
    expect([received.all('x-user'), received.header('authorization')]).toEqual([[octets], null]);
    expect(await front.gateway.nextRecord()).toMatchObject({ user: octets });
  }
});

const HOSTILE = [
  ['nothing', [], 'credentials-missing'],
  ['another scheme', ['Authorization', 'Bearer abc'], 'credentials-missing'],
  ['a wrong password', basic('ann', 'passwort'), 'credentials-wrong'],
  ['a part of the password', basic('ann', 'passwor'), 'credentials-wrong'],
  ['no password', basic('ann', ''), 'credentials-wrong'],
  ['somebody else’s password', basic('bob', 'password'), 'credentials-wrong'],
  ['an unknown user', basic('eve', 'password'), 'credentials-wrong'],
  ['a user of every object', basic('__proto__', 'password'), 'credentials-wrong'],
  ['no user', basic('', 'password'), 'credentials-wrong'],
  ['no colon', ['Authorization', `Basic ${Buffer.from('ann').toString('base64')}`], 'credentials-malformed'],
  ['no base64', ['Authorization', 'Basic ann:password'], 'credentials-malformed'],
  ['a zero', basic('ann', 'password\0'), 'credentials-malformed'],
  ['a field within', basic('ann\r\nX-Admin: 1', 'password'), 'credentials-malformed'],
  [
    'Latin-1',
    ['Authorization', `Basic ${Buffer.from('zo\xeb:password', 'latin1').toString('base64')}`],
    'credentials-malformed',
  ],
  ['12 KiB', basic('ann', 'x'.repeat(9_000)), 'credentials-malformed'],
] as const;

matrix('everything else is 401 with a challenge, and costs no connection upstream', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route }));
  const connection = await front.connect();
  for (const [what, headers, reason] of HOSTILE) {
    const reply = await connection.send({ headers });
    expect([reply.status, reply.all('www-authenticate')], what).toEqual([401, [CHALLENGE]]);
    expect(reply.header('proxy-status')).toBe('headgate; error=http_request_denied');
    expect(await front.gateway.nextRecord(), what).toMatchObject({ end: { reason }, user: null, policy: 'auth' });
  }
  expect(shop.accepted).toBe(0);
});

matrix(
  'two of them are none: which is meant, two servers may see in two ways',
  async ({ gateway, origin }) => {
    const front = await gateway(forwardTo(await origin(), { route }));
    const reply = await front.send({ headers: [...basic('ann', 'password'), ...basic('bob', 'U*U')] });
    expect([reply.status, reply.all('www-authenticate')]).toEqual([401, [CHALLENGE]]);
    expect(await front.gateway.nextRecord()).toMatchObject({ end: { reason: 'credentials-malformed' } });
  },
  { without: HTTP1_ONLY },
);

matrix('who is refused is not asked for a body; who is let through is', async ({ gateway, origin }) => {
  const shop = await origin({ script: ['read head', 'read body', 'respond 201'] });
  const front = await gateway(forwardTo(shop, { route }));
  const upload = { method: 'POST', length: 4 } as const;
  const refused = await front.begin({ ...upload, headers: ['Expect', '100-continue'] });
  const reply = await refused.reply();
  expect([reply.status, reply.informational.length]).toEqual([401, 0]);
  const known = await front.begin({ ...upload, headers: ['Expect', '100-continue', ...basic('ann', 'password')] });
  expect((await known.interim(0)).status).toBe(100);
  await known.write('abcd');
  known.end();
  expect([(await known.reply()).status, (await shop.complete()).text]).toEqual([201, 'abcd']);
});

matrix('a body that comes while a password is verified arrives whole', async ({ gateway, origin }) => {
  const shop = await origin();
  const front = await gateway(forwardTo(shop, { route }));
  const body = 'x'.repeat(100_000);
  const reply = await front.send({ method: 'POST', headers: basic('bob', 'U*U'), body });
  expect([reply.status, (await shop.complete()).text.length]).toEqual([200, 100_000]);
});

matrix(
  'an upgrade needs a password like everything else',
  async ({ gateway, origin }) => {
    const shop = await origin({
      script: [
        'read head',
        { send: 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n' },
      ],
    });
    const front = await gateway(forwardTo(shop, { route }));
    expect((await (await front.raw(handshake())).reply()).status).toBe(401);
    const [name, value] = basic('ann', 'password');
    expect((await (await front.raw(handshake('/ws', `${name}: ${value}\r\n`))).head()).status).toBe(101);
    const received = latest(shop);
    expect([received.header('x-user'), received.header('authorization')]).toEqual(['ann', null]);
  },
  { without: HTTP1_ONLY },
);

matrix(
  'credentials go on only where that is wanted',
  async ({ gateway, origin }) => {
    const shop = await origin();
    const front = await gateway(forwardTo(shop, { route: { auth: { basic: { users, forwardCredentials: true } } } }));
    const headers = basic('ann', 'password');
    await front.send({ headers });
    expect(latest(shop).header('authorization')).toBe(headers[1]);
  },
  { without: ONE_PROTOCOL },
);

/** Asks until it gets `status`: the file is read a little later than the reload. */
async function untilStatus(front: Front, headers: readonly string[], status: number): Promise<void> {
  const connection = await front.connect();
  for (;;) if ((await connection.send({ headers })).status === status) return;
}

matrix(
  'a file is read again when it has changed: new users come in, old passwords stay out, a broken one changes nothing',
  async ({ gateway, origin }) => {
    const file = temporaryFile('htpasswd', `ann:${HASH_OF_PASSWORD}\n`);
    const clock = new ManualClock();
    const front = await gateway(forwardTo(await origin(), { route: { auth: { basic: { file } } } }), { clock });
    const status = async (user: string, password: string): Promise<number> =>
      (await front.send({ headers: basic(user, password) })).status;
    expect([await status('ann', 'password'), await status('ann', 'U*U'), await status('bob', 'U*U')]).toEqual([
      200, 401, 401,
    ]);
    writeFileSync(file, `ann:${HASH_OF_UU}\nbob:${HASH_OF_UU}\n# changed\n`);
    clock.advance(2_000);
    // It was wrong a moment ago.
    await untilStatus(front, basic('bob', 'U*U'), 200);
    expect([await status('ann', 'password'), await status('ann', 'U*U')]).toEqual([401, 200]);
    writeFileSync(file, 'ann:secret\n');
    clock.advance(2_000);
    expect(await status('bob', 'U*U')).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

test('the thread is there while somebody needs it', async () => {
  const withUsers = { routes: [{ respond: {}, auth: { basic: { users } } }] };
  const gateway = await startTestGateway(withUsers);
  const states = async (): Promise<unknown> => (await fetch(new URL('/policies', gateway.gateway.adminUrl))).json();
  const [name = '', value = ''] = basic('ann', 'password');
  const ask = async (): Promise<number> => (await fetch(gateway.url(), { headers: { [name]: value } })).status;
  expect(await ask()).toBe(200);
  const used = { id: 'passwords', figures: { remembered: 1, waiting: 0, running: 0, verified: 1, refused: 0 } };
  expect(await states()).toMatchObject([used]);
  // What was verified is kept over a reload, as long as somebody has passwords.
  await gateway.reload({ routes: [{ respond: { status: 202 }, auth: { basic: { users } } }] });
  expect([await ask(), await states()]).toMatchObject([202, [used]]);
  await gateway.reload({ routes: [{ respond: {} }] });
  expect(await states()).toEqual([]);
  await gateway.reload(withUsers);
  expect([await ask(), await states()]).toMatchObject([200, [used]]);
});

test('what can’t be used is a mistake at its place, and never shows a hash', async () => {
  const broken = temporaryFile('htpasswd', `ann:${HASH_OF_PASSWORD}\nbob:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n`);
  const gateway = await startTestGateway({ routes: [{ respond: {} }] }, { tolerance: 'strict' });
  const mistakes = async (auth: unknown): Promise<readonly string[]> => {
    const report = await gateway.reload({ routes: [{ respond: {}, auth: auth as { basic: { file: string } } }] });
    return report.diagnostics.map(({ line, message }) => `${line}: ${message}`);
  };
  expect(await mistakes({ basic: { file: broken } })).toEqual([
    expect.stringMatching(
      /cannot use .*htpasswd: line 2: user “bob”: unsalted SHA-1 \(\{SHA\}\) is not supported: use argon2id/,
    ),
  ]);
  expect(await mistakes({ basic: { file: `${broken}.gone` } })).toEqual([
    expect.stringMatching(/cannot use .*htpasswd\.gone: ENOENT/),
  ]);
  expect(await mistakes({ basic: { users: { ann: 'secret' } } })).toEqual([
    expect.stringMatching(/user “ann”: this is no hash of a known kind, or a password in clear/),
  ]);
  expect(await mistakes({})).toEqual([expect.stringMatching(/auth needs a way to authenticate: basic, apiKey/)]);
  expect(await mistakes({ basic: {} })).toEqual([expect.stringMatching(/give file or users/)]);
});
