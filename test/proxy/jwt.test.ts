import { createHmac } from 'node:crypto';
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { readQuestion } from '../../src/control/explain/question.ts';
import { certificateFor } from '../kit/certificate.ts';
import { forwardTo } from '../kit/config.ts';
import { until } from '../kit/deadline.ts';
import type { TestConfig } from '../kit/gateway.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { type Front, matrix, ONE_PROTOCOL, type Stage } from '../kit/matrix.ts';
import type { Origin } from '../kit/origin.ts';
import type { Script } from '../kit/script.ts';
import { stopAfterTest } from '../kit/stop.ts';
import { jwks, part, type SigningKey, signingKey, type TokenParts, token, unsigned } from '../kit/tokens.ts';

type Auth = Exclude<NonNullable<NonNullable<TestConfig['routes']>[number]['auth']>, false>;
type Jwt = NonNullable<Auth['jwt']>;

const ISSUER = { issuer: 'https://issuer.test', audience: 'shop' };

function secured(shop: Origin, jwt: Partial<Jwt>, auth: Partial<Auth> = {}): TestConfig {
  return forwardTo(shop, { route: { auth: { jwt: { ...ISSUER, ...jwt }, ...auth } } });
}

function bearer(text: string): readonly string[] {
  return ['Authorization', `Bearer ${text}`];
}

/** An issuer whose connections do what these scripts say, one after the other; the last one goes on. */
function issuing(stage: Stage, ...scripts: readonly Script[]): Promise<Origin> {
  return stage.origin({ scripts });
}

function publishes(...keys: readonly SigningKey[]): Script {
  return [{ respond: 200, headers: ['Content-Type', 'application/json'], body: jwks(...keys) }];
}

function published(issuer: Origin): string {
  return `http://127.0.0.1:${issuer.port}/jwks`;
}

async function reasonOf(front: Front): Promise<string> {
  return (await front.gateway.nextRecord()).end.reason;
}

matrix(
  'a sound token lets the request through with its claims as fields; without one there is a challenge',
  async (stage) => {
    const mine = await signingKey();
    const shop = await stage.origin();
    const config = secured(
      shop,
      { publicKeys: mine.pem },
      { headers: { 'X-User': '{auth.user}', 'X-Role': '{claim.role}' } },
    );
    const front = await stage.gateway(config);
    const refused = await front.send({ headers: ['X-User', 'root'] });
    expect([refused.status, refused.all('www-authenticate'), shop.accepted]).toEqual([401, ['Bearer'], 0]);
    expect(await front.gateway.nextRecord()).toMatchObject({ end: { reason: 'token-missing' }, user: null });
    const text = await token(mine, { claims: { role: ['till', 'admin'] } });
    const passed = await front.send({ headers: [...bearer(text), 'X-User', 'root', 'x-role', 'root'] });
    const received = await shop.request();
    expect([passed.status, received.all('x-user'), received.all('x-role')]).toEqual([200, ['ada'], ['till,admin']]);
    expect(received.header('authorization')).toBe(`Bearer ${text}`);
    expect(await front.gateway.nextRecord()).toMatchObject({ user: 'ada' });
  },
);

matrix(
  'tokens that are malformed, forged or meant for others are 401 invalid_token, and cost no connection upstream',
  async (stage) => {
    const mine = await signingKey('RS256');
    const forger = await signingKey('RS256', 'other');
    const shop = await stage.origin();
    const front = await stage.gateway(secured(shop, { keys: [{ ...mine.jwk }], type: 'at+jwt' }));
    const make = (parts: TokenParts, key = mine) =>
      token(key, { ...parts, header: { typ: 'at+jwt', kid: 'k1', ...parts.header } });
    const sound = await make({});
    const confused = `${part({ alg: 'HS256', kid: 'k1', typ: 'at+jwt' })}.${sound.split('.')[1]}`;
    const cases: readonly (readonly [string, string])[] = [
      ['', 'token-malformed'],
      ['a.b.c.d.e', 'token-malformed'],
      [unsigned({ alg: 'none' }), 'token-malformed'],
      [unsigned({ alg: 'RS256', crit: ['x'], x: 1 }), 'token-malformed'],
      [`${sound}, Bearer ${sound}`, 'token-malformed'],
      [await make({ header: { jwk: forger.jwk, jku: 'https://evil.test/jwks' } }, forger), 'token-signature'],
      [`${sound.slice(0, -12)}AAAAAAAAAAAA`, 'token-signature'],
      [`${confused}.${createHmac('sha256', mine.pem).update(confused).digest('base64url')}`, 'token-key-unknown'],
      [await make({ header: { kid: 'k7' } }), 'token-key-unknown'],
      [await make({ header: { typ: 'JWT' } }), 'token-type'],
      [await make({ claims: { iss: 'https://evil.test' } }), 'token-issuer'],
      [await make({ claims: { aud: ['bank'] } }), 'token-audience'],
      [await make({ claims: { exp: 1_700_000_100 } }), 'token-expired'],
      [await make({ claims: { nbf: 4_000_000_000 } }), 'token-not-yet-valid'],
      [await make({ claims: { exp: undefined } }), 'token-claim-missing'],
    ];
    for (const [text, reason] of cases) {
      const reply = await front.send({ headers: bearer(text) });
      const said = [reply.status, reply.header('www-authenticate')?.startsWith('Bearer error="invalid_token", error_')];
      expect([...said, await reasonOf(front)], reason).toEqual([401, true, reason]);
    }
    const twice = await front.send({ headers: [...bearer(sound), ...bearer(sound)] });
    expect([twice.status, await reasonOf(front), shop.accepted]).toEqual([401, 'token-malformed', 0]);
    expect((await front.send({ headers: bearer(sound) })).status).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'keys are fetched from the issuer once, and a rotated one is fetched when it is first met',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const [first, second] = [await signingKey(), await signingKey('EdDSA', 'k2')];
    const issuer = await issuing(stage, publishes(first), publishes(second));
    const front = await stage.gateway(secured(await stage.origin(), { jwks: published(issuer) }), { clock });
    const send = async (key: SigningKey) => (await front.send({ headers: bearer(await token(key)) })).status;
    expect(await Promise.all([send(first), send(first), send(first)])).toEqual([200, 200, 200]);
    expect(issuer.requests).toBe(1);
    clock.advance(5_000);
    expect([await send(second), issuer.requests]).toEqual([200, 2]);
    // The old one is not published any more; what it has verified is forgotten.
    expect([await Promise.race([send(first), stuck()]), issuer.requests]).toEqual(['waits', 2]);
    clock.advance(5_000);
    await issuer.request(2);
    expect(await send(second)).toBe(200);
  },
  { without: ONE_PROTOCOL },
);

/** Long enough for an answer that needs nobody else. */
async function stuck(): Promise<string> {
  for (let turn = 0; turn < 50; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  return 'waits';
}

matrix(
  'made-up key names have the issuer asked once in a cool-down, and do not hold up others',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const mine = await signingKey();
    const issuer = await issuing(stage, publishes(mine));
    const front = await stage.gateway(
      secured(await stage.origin(), { jwks: { url: published(issuer), timeout: '1h' } }),
      { clock },
    );
    expect((await front.send({ headers: bearer(await token(mine)) })).status).toBe(200);
    clock.advance(5_000);
    const flood = await Promise.all(
      Array.from({ length: 30 }, async (_, i) =>
        front.begin({ headers: bearer(await token(mine, { header: { kid: `x${i}` } })) }),
      ),
    );
    await issuer.request(1);
    expect((await front.send({ headers: bearer(await token(mine, { claims: { sub: 'eve' } })) })).status).toBe(200);
    let left = flood.length;
    const refused = flood.map(async (one) => {
      const { status } = await one.reply();
      left -= 1;
      return status;
    });
    // Who came too late for one fetch waits for the next.
    let coolDowns = 1;
    await until(() => {
      if (left === 0) return true;
      clock.advance(5_000);
      coolDowns += 1;
      return false;
    }, 'all of them to be refused');
    expect(new Set(await Promise.all(refused))).toEqual(new Set([401]));
    expect(issuer.requests).toBeLessThanOrEqual(1 + coolDowns);
  },
  { without: ONE_PROTOCOL },
);

const SICK: readonly (readonly [string, Script])[] = [
  ['answers 500', ['respond 500']],
  ['sends garbage', [{ respond: 200, body: '<html>' }]],
  ['sends more than it may', [{ respond: 200, body: JSON.stringify({ keys: [], pad: 'x'.repeat(300_000) }) }]],
  ['breaks off', ['read head', { send: 'HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{"keys":[' }, 'close']],
  ['leads elsewhere', [{ respond: 302, headers: ['Location', '/elsewhere'] }]],
];

for (const [what, script] of SICK) {
  matrix(
    `while an issuer ${what} nobody is told that his token is bad: 503 with the time to come again`,
    async (stage) => {
      const clock = new ManualClock(Date.now());
      const mine = await signingKey();
      const issuer = await issuing(stage, [...script, 'close'], publishes(mine));
      const shop = await stage.origin();
      const front = await stage.gateway(secured(shop, { jwks: published(issuer) }), { clock });
      const headers = bearer(await token(mine));
      const reply = await front.send({ headers });
      expect([reply.status, reply.header('retry-after'), reply.header('www-authenticate')]).toEqual([503, '1', null]);
      expect([await reasonOf(front), shop.accepted]).toEqual(['jwks-unavailable', 0]);
      // What is bad whatever the keys is said at once.
      expect((await front.send({ headers: bearer('bad') })).status).toBe(401);
      clock.advance(1_000);
      expect((await front.send({ headers })).status).toBe(200);
    },
    { without: ONE_PROTOCOL },
  );
}

matrix(
  'an issuer that goes down later is not missed while its keys hold',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const mine = await signingKey();
    const issuer = await issuing(stage, publishes(mine));
    const front = await stage.gateway(
      secured(await stage.origin(), { jwks: { url: published(issuer), staleIfError: '10m' } }),
      { clock },
    );
    const send = async (sub: string) =>
      (await front.send({ headers: bearer(await token(mine, { claims: { sub } })) })).status;
    expect(await send('ada')).toBe(200);
    await issuer.close();
    clock.advance(360_000);
    expect([await send('ada'), await send('bob')]).toEqual([200, 200]);
    clock.advance(600_000);
    await until(() => front.gateway.records.length >= 3, 'the records');
    expect(await send('ada')).toBe(503);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a client that leaves while keys are fetched leaves nothing behind; a silent issuer is given up in time',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const issuer = await issuing(stage, ['read head', 'silent']);
    const front = await stage.gateway(secured(await stage.origin(), { jwks: published(issuer) }), { clock });
    const headers = bearer(await token(await signingKey()));
    const leaver = await front.begin({ headers });
    const patient = await front.begin({ headers });
    await issuer.request();
    leaver.leave();
    expect(await reasonOf(front)).toBe('client-gone');
    clock.advance(5_000);
    expect((await patient.reply()).status).toBe(503);
    await issuer.idle();
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a token in a cookie, a field or the query is taken out of the request where endpoints shall not have it',
  async (stage) => {
    const mine = await signingKey();
    const shop = await stage.origin();
    const from = [{ cookie: 'id' }, { header: 'X-Token' }, { query: 'jwt' }];
    const front = await stage.gateway(secured(shop, { publicKeys: mine.pem, from, forwardCredentials: false }));
    const text = await token(mine);
    await front.send({ headers: ['Cookie', `a=1; id=${text}; b=2`, 'X-Token', 'left over'] });
    await front.send({ headers: ['X-Token', text], path: '/?x=1' });
    await front.send({ path: `/?x=1&jwt=${text}&y=2` });
    const [one, two, three] = [await shop.request(0), await shop.request(1), await shop.request(2)];
    expect([one.header('cookie'), one.header('x-token')]).toEqual(['a=1; b=2', null]);
    expect([two.header('x-token'), two.lines[0]]).toEqual([null, 'GET /?x=1 HTTP/1.1']);
    expect(three.lines[0]).toBe('GET /?x=1&y=2 HTTP/1.1');
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a shared secret is accepted for HS256 alone',
  async (stage) => {
    const secret = 'a secret that nobody knows, 32 B!';
    const front = await stage.gateway(secured(await stage.origin(), { secret }));
    const sign = (alg: string, hash: string) => {
      const head = `${part({ alg })}.${part({ iss: ISSUER.issuer, aud: 'shop', exp: 4_000_000_000 })}`;
      return `${head}.${createHmac(hash, secret).update(head).digest('base64url')}`;
    };
    expect((await front.send({ headers: bearer(sign('HS256', 'sha256')) })).status).toBe(200);
    expect((await front.send({ headers: bearer(sign('HS512', 'sha512')) })).status).toBe(401);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a cached token is refused when it expires',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const mine = await signingKey();
    const front = await stage.gateway(secured(await stage.origin(), { publicKeys: mine.pem }), { clock });
    const headers = bearer(await token(mine, { claims: { exp: Math.floor(clock.now() / 1000) + 60 } }));
    expect((await front.send({ headers })).status).toBe(200);
    clock.advance(80_000);
    expect((await front.send({ headers })).status).toBe(200);
    clock.advance(11_000);
    expect((await front.send({ headers })).status).toBe(401);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a reload keeps the keys that were fetched; keys in a file are taken when it changes',
  async (stage) => {
    const clock = new ManualClock(Date.now());
    const [first, second] = [await signingKey(), await signingKey('EdDSA', 'k2')];
    const issuer = await issuing(stage, publishes(first));
    const shop = await stage.origin();
    const front = await stage.gateway(secured(shop, { jwks: published(issuer) }), { clock });
    const send = async (key: SigningKey) => (await front.send({ headers: bearer(await token(key)) })).status;
    expect(await send(first)).toBe(200);
    await front.reload(secured(shop, { jwks: published(issuer), clockSkew: '1m' }));
    expect([await send(first), issuer.requests]).toEqual([200, 1]);
    const folder = await mkdtemp(join(tmpdir(), 'headgate-keys-'));
    stopAfterTest(() => rm(folder, { recursive: true }));
    const keysFile = join(folder, 'keys');
    await writeFile(keysFile, first.pem);
    await front.reload(secured(shop, { keysFile }));
    expect([await send(first), await send(second)]).toEqual([200, 401]);
    await writeFile(`${keysFile}.new`, jwks(second));
    await rename(`${keysFile}.new`, keysFile);
    let [old, current] = [200, 401];
    for (let turn = 0; turn < 100 && (old !== 401 || current !== 200); turn += 1) {
      clock.advance(2_000);
      [old, current] = [await send(first), await send(second)];
    }
    expect([old, current]).toEqual([401, 200]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'keys are fetched over TLS from whom the given authorities vouch for, and from nobody else',
  async (stage) => {
    const mine = await signingKey();
    const tls = await certificateFor(['localhost']);
    const issuer = await stage.origin({ script: publishes(mine), tls, host: 'localhost' });
    const folder = await mkdtemp(join(tmpdir(), 'headgate-ca-'));
    stopAfterTest(() => rm(folder, { recursive: true }));
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, tls.cert);
    const url = `https://localhost:${issuer.port}/jwks`;
    const shop = await stage.origin();
    const headers = bearer(await token(mine));
    const trusting = await stage.gateway(secured(shop, { jwks: { url, ca } }));
    expect((await trusting.send({ headers })).status).toBe(200);
    const wary = await stage.gateway(secured(shop, { jwks: url }));
    expect([(await wary.send({ headers })).status, issuer.requests]).toEqual([503, 1]);
  },
  { without: ONE_PROTOCOL },
);

matrix(
  'a question that nobody sent has everything looked at but the signature',
  async (stage) => {
    const mine = await signingKey();
    const shop = await stage.origin();
    const rules = { require: { claims: { role: 'admin' } } };
    const front = await stage.gateway(secured(shop, { publicKeys: mine.pem }, rules));
    const outcome = async (parts: TokenParts) => {
      const headers = { authorization: `Bearer ${await token(mine, parts)}` };
      const asked = readQuestion({ url: 'http://shop.test/', headers });
      if (!asked.ok) throw new Error(asked.message);
      const { outcome: what, notes } = front.gateway.gateway.explain(asked.question);
      return [what.kind, what.kind === 'refuse' ? what.reason : '', notes.some((note) => note.includes('verifier'))];
    };
    expect(await outcome({ claims: { exp: 1_700_000_100 } })).toEqual(['refuse', 'token-expired', false]);
    expect(await outcome({})).toEqual(['forward', '', true]);
    // Once it was sent in earnest, it is known whose it is.
    expect((await front.send({ headers: bearer(await token(mine)) })).status).toBe(403);
    expect(shop.accepted).toBe(0);
  },
  { without: ONE_PROTOCOL },
);
