import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Clock } from '../../../../src/clock.ts';
import { AcmeIssuer, type IssuerOptions } from '../../../../src/control/certificates/acme/issuer.ts';
import { Turns } from '../../../../src/control/certificates/acme/turns.ts';
import type { HttpClient } from '../../../../src/control/http-client.ts';
import { GatewayError } from '../../../../src/errors.ts';
import { AcmeAuthority, authorization, problem, type Script } from '../../../kit/acme-authority.ts';

let directory = '';
let authority = new AcmeAuthority();
let waits: number[] = [];
let standing = new Set<string>();

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'headgate-acme-'));
  authority = new AcmeAuthority();
  waits = [];
  standing = new Set();
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** A clock on which every wait is over at once, and is written down. */
function hastyClock(): Clock {
  let elapsed = 0;
  return {
    now: () => Date.now() + elapsed,
    monotonic: () => elapsed,
    after: (delayMs, callback) => {
      waits.push(delayMs);
      elapsed += delayMs;
      return setImmediate(callback);
    },
    cancel: (timer) => clearImmediate(timer as NodeJS.Immediate),
  };
}

function issuer(options: Partial<IssuerOptions> = {}, turns = new Turns(), http = authority.http): AcmeIssuer {
  return new AcmeIssuer(
    { directoryUrl: authority.directoryUrl, ca: null, email: null, eab: null, ...options },
    { http, clock: hastyClock(), directory, turns },
  );
}

/** One order; proofs stand in `standing` as long as they have to. */
function obtain(from: AcmeIssuer, names = ['shop.test'], signal = new AbortController().signal) {
  const prove = (name: string, token: string) => {
    standing.add(`${name} ${token}`);
    return () => standing.delete(`${name} ${token}`);
  };
  return from.obtain(names, { challenge: 'http-01', prove, signal }, () => true);
}

test('an order ends in a certificate that is stored; the next start needs no other', async () => {
  const { pair, unsaved } = await obtain(issuer());
  expect(unsaved).toBeNull();
  expect(pair.certificate).toContain('BEGIN CERTIFICATE');
  expect((await issuer().stored(['shop.test']))?.certificate).toBe(pair.certificate);
  expect((await obtain(issuer())).pair.certificate).toBe(pair.certificate);
  expect(authority.count('new-order')).toBe(1);
});

test('RFC 8555 §7.3: the account is registered once, with terms agreed to and the address to write to', async () => {
  await obtain(issuer({ email: 'ops@shop.test' }));
  await obtain(issuer({ email: 'ops@shop.test' }), ['other.test']);
  const registrations = authority.requests.filter(({ resource }) => resource === 'new-account');
  expect(registrations.map(({ payload }) => payload)).toEqual([
    { termsOfServiceAgreed: true, contact: ['mailto:ops@shop.test'] },
  ]);
  expect(registrations[0]?.header).toHaveProperty('jwk');
  expect(authority.requests.at(-1)?.header).toHaveProperty('kid', 'https://ca.test/account/1');
});

test('RFC 8555 §7.3.2: another address to write to is told to the authority', async () => {
  await obtain(issuer({ email: 'old@shop.test' }));
  await obtain(issuer({ email: 'new@shop.test' }), ['other.test']);
  const updates = authority.requests.filter(({ resource }) => resource === 'account');
  expect(updates.map(({ payload }) => payload)).toEqual([{ contact: ['mailto:new@shop.test'] }]);
});

test('RFC 8555 §7.3.4: an account is bound to an external one, and another one gets an account of its own', async () => {
  const hmac = Buffer.alloc(32, 1).toString('base64url');
  await obtain(issuer({ eab: { kid: 'first', hmac } }));
  await obtain(issuer({ eab: { kid: 'second', hmac } }), ['other.test']);
  const bindings = authority.requests.flatMap(({ payload }) => payload?.['externalAccountBinding'] ?? []);
  const kids = (bindings as { protected: string }[]).map((binding) => {
    return (JSON.parse(Buffer.from(binding.protected, 'base64url').toString()) as { kid: string }).kid;
  });
  expect(kids).toEqual(['first', 'second']);
});

test('RFC 8555 §6.5: a nonce that the authority calls bad is replaced, and the request made again', async () => {
  const refused = new Set<string>();
  authority.script = ({ resource }) => {
    if (refused.has(resource)) return null;
    refused.add(resource);
    return problem(400, 'badNonce', 'too old');
  };
  await obtain(issuer());
  expect(refused.size).toBeGreaterThan(5);
  expect(authority.count('new-order')).toBe(2);
});

test('an authority that calls every nonce bad is given up after ten', async () => {
  authority.script = () => problem(400, 'badNonce', 'too old');
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'bad-nonce', message: 'badNonce: too old' });
  expect(authority.requests).toHaveLength(10);
});

test('RFC 8555 §6.6: a rate limit ends the order, and says when it may be tried again', async () => {
  authority.script = ({ resource }) =>
    resource === 'new-order' ? problem(429, 'rateLimited', 'too many', ['Retry-After', '3600']) : null;
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'rate-limited', retryAfterMs: 3_600_000 });
  expect(authority.count('new-order')).toBe(1);
});

test('an authorization that fails ends the order with the reason and the name, and takes the proofs away', async () => {
  const error = { type: 'urn:ietf:params:acme:error:dns', detail: 'NXDOMAIN' };
  authority.script = ({ resource }) => {
    if (resource !== 'authorization' || authority.count('challenge') === 0) return null;
    expect([...standing]).toEqual(['shop.test token-for-http-01-1']);
    return { status: 200, json: authorization(authority.base, 'shop.test', { status: 'invalid', error }) };
  };
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'dns', message: 'shop.test: dns: NXDOMAIN' });
  expect(standing.size).toBe(0);
});

test('an order that turns invalid is told in the words of the authority', async () => {
  authority.script = ({ resource }) => {
    if (resource !== 'order') return null;
    const error = { type: 'urn:ietf:params:acme:error:caa', detail: 'CAA forbids it' };
    return { status: 200, json: { status: 'invalid', authorizations: [], finalize: 'https://ca.test/f', error } };
  };
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'caa', message: 'caa: CAA forbids it' });
});

test('an authority that goes away in the middle of an order ends it, and no proof is left', async () => {
  authority.script = ({ resource }) => {
    if (resource !== 'challenge') return null;
    return new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'connect-refused' });
  };
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'connect-refused' });
  expect(standing.size).toBe(0);
});

test('an authority that has forgotten the account gets the same key again', async () => {
  await obtain(issuer());
  let forgotten = true;
  authority.script = ({ resource }) => {
    if (resource === 'new-account') forgotten = false;
    return forgotten ? problem(400, 'accountDoesNotExist', 'unknown') : null;
  };
  await obtain(issuer(), ['other.test']);
  const keys = authority.requests
    .filter(({ resource }) => resource === 'new-account')
    .map(({ header }) => header['jwk']);
  expect(keys).toHaveLength(2);
  expect(keys[1]).toEqual(keys[0]);
});

test('an order in the making is looked at as often as the authority asks for, else ever more rarely', async () => {
  authority.processing = 6;
  await obtain(issuer());
  expect(waits).toEqual([500, 1000, 2000, 4000, 8000, 10_000]);
  waits = [];
  authority.script = ({ resource }) => {
    if (resource !== 'order' || authority.count('finalize') < 2 || waits.length > 0) return null;
    const json = { status: 'processing', authorizations: [], finalize: 'https://ca.test/finalize/1' };
    return { status: 200, headers: ['Retry-After', '7'], json };
  };
  await obtain(issuer(), ['other.test']);
  expect(waits).toEqual([7000]);
});

test('an order that never comes to an end is given up after ten minutes', async () => {
  authority.processing = Number.POSITIVE_INFINITY;
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'order-timeout' });
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeLessThanOrEqual(600_000);
});

test('two listeners that begin at once register one account, and one order follows the other', async () => {
  const turns = new Turns();
  let open = 0;
  authority.script = ({ resource }) => {
    if (resource === 'new-order') open += 1;
    if (resource === 'certificate') open -= 1;
    expect(open).toBeLessThanOrEqual(1);
    return null;
  };
  await Promise.all([obtain(issuer({}, turns), ['a.test']), obtain(issuer({}, turns), ['b.test'])]);
  expect(authority.count('new-account')).toBe(1);
});

test('two listeners with the same names share one certificate', async () => {
  const turns = new Turns();
  const [first, second] = await Promise.all([obtain(issuer({}, turns)), obtain(issuer({}, turns))]);
  expect(first.pair.certificate).toBe(second.pair.certificate);
  expect(authority.count('new-order')).toBe(1);
});

test('an order is given up when the gateway stops', async () => {
  const stop = new AbortController();
  authority.processing = Number.POSITIVE_INFINITY;
  authority.script = ({ resource }) => {
    if (resource === 'finalize') stop.abort(new Error('stopped'));
    return null;
  };
  await expect(obtain(issuer(), ['shop.test'], stop.signal)).rejects.toThrow('stopped');
});

test.each<[string, unknown]>([
  ['no JSON', '<html>'],
  ['no object', []],
  ['a list of authorizations that is none', { status: 'pending', authorizations: 7, finalize: 'https://ca.test/f' }],
  [
    'a URL that is not of HTTPS',
    { status: 'pending', authorizations: ['http://ca.test/a'], finalize: 'https://ca.test/f' },
  ],
  ['a URL that is none', { status: 'pending', authorizations: [], finalize: 'https://' }],
  [
    'more authorizations than names',
    { status: 'pending', authorizations: Array(101).fill('https://ca.test/a'), finalize: 'https://ca.test/f' },
  ],
])('an order with %s is refused in words', async (_what, json) => {
  authority.script = ({ resource }) =>
    resource === 'new-order' ? { status: 201, headers: ['Location', 'https://ca.test/order/1'], json } : null;
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'malformed-answer' });
});

test('a certificate for another name is not accepted', async () => {
  const foreign = await obtain(issuer(), ['other.test']);
  authority.script = ({ resource }) =>
    resource === 'certificate' ? { status: 200, json: foreign.pair.certificate } : null;
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'wrong-certificate' });
});

test('a chain that OpenSSL could not read is not accepted, and what is no certificate is not kept', async () => {
  const { pair } = await obtain(issuer());
  rmSync(join(directory, 'acme'), { recursive: true });
  const broken = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
  let after = broken;
  let issued = '';
  const http: HttpClient = async (request) => {
    const answer = await authority.http(request);
    if (!request.url.includes('/certificate/')) return answer;
    issued = Buffer.from(answer.body).toString();
    return { ...answer, body: Buffer.from(`${issued}\n${after}`) };
  };
  await expect(obtain(issuer({}, new Turns(), http))).rejects.toMatchObject({ reason: 'malformed-answer' });
  after = pair.key;
  const { certificate } = (await obtain(issuer({}, new Turns(), http))).pair;
  expect(certificate.replace(/\s/g, '')).toBe(issued.replace(/\s/g, ''));
});

test('a Location may be relative; one that is not of HTTPS is refused', async () => {
  const at = (location: string): Script => {
    const json = { status: 'pending', authorizations: [], finalize: 'https://ca.test/finalize/1' };
    return ({ resource }) => (resource === 'new-order' ? { status: 201, headers: ['Location', location], json } : null);
  };
  authority.script = at('http://ca.test/order/1');
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'malformed-answer' });
  expect(authority.count('order')).toBe(0);
  authority.script = at('/order/1');
  await expect(obtain(issuer())).rejects.toMatchObject({ reason: 'order-timeout' });
  expect(authority.count('order')).toBeGreaterThan(0);
});
