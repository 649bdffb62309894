import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { mistakesIn } from '../../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../../src/config/load.ts';
import type { ConfigInput } from '../../../../src/config/schema/config.ts';
import { signingKey } from '../../../kit/tokens.ts';

/** What `headgate check` says. */
function mistakes(input: ConfigInput): readonly string[] {
  const loaded = configFromObject(input);
  return (loaded.ok ? mistakesIn(loaded) : loaded.diagnostics).map(({ message }) => message);
}

function mistakesOf(auth: Record<string, unknown>): readonly string[] {
  const pools = { app: { endpoints: ['h:1'] } };
  return mistakes({ listeners: { web: { port: 0 } }, pools, routes: [{ pool: 'app', auth }] });
}

const KEYS = { jwks: 'https://login.test/jwks' };
const jwt = (over: Record<string, unknown>) => ({ jwt: { issuer: 'any', audience: 'any', ...over } });
const SECRET = 'a secret that nobody knows, 32 B!';

test.each<[string, Record<string, unknown>]>([
  ['keys of an issuer', jwt(KEYS)],
  ['keys over plain HTTP of this machine', jwt({ jwks: 'http://localhost:8080/jwks' })],
  ['keys over plain HTTP, on purpose', jwt({ jwks: { url: 'http://keycloak:8080/jwks', plainHttp: true } })],
  ['a secret', jwt({ secret: SECRET })],
  ['a longer secret for another algorithm', jwt({ secret: SECRET + SECRET, algorithms: ['HS512'] })],
  ['a rule on users alone', { ...jwt(KEYS), require: { users: 'ada' } }],
  ['a service', { forward: { url: 'http://auth:9000/check', responseHeaders: ['X-User', 'Authorization'] } }],
])('%s will do', (_, auth) => {
  expect(mistakesOf(auth)).toEqual([]);
});

test.each<[string, Record<string, unknown>, string]>([
  ['no keys', jwt({}), 'needs its keys from one place'],
  ['keys from two places', jwt({ ...KEYS, secret: SECRET }), 'needs its keys from one place'],
  ['no audience', { jwt: { ...KEYS, issuer: 'any' } }, 'audience'],
  ['no issuer', { jwt: { ...KEYS, audience: 'any' } }, 'issuer'],
  ['an empty list of audiences', jwt({ ...KEYS, audience: [] }), 'audience'],
  ['keys over plain HTTP', jwt({ jwks: 'http://keycloak:8080/jwks' }), 'can be replaced on the way'],
  ['the same in a map', jwt({ jwks: { url: 'http://keycloak:8080/jwks' } }), 'can be replaced on the way'],
  ['keys from a file by its URL', jwt({ jwks: 'file:///etc/keys' }), 'is not'],
  ['credentials in the URL', jwt({ jwks: 'https://a:b@login.test/' }), 'is not'],
  ['an upper bound below the lower one', jwt({ jwks: { url: KEYS.jwks, maxTtl: '1m' } }), 'maxTtl is at least minTtl'],
  ['no cool-down', jwt({ jwks: { url: KEYS.jwks, coolDown: 0 } }), '100ms at least'],
  ['algorithm none', jwt({ ...KEYS, algorithms: ['none'] }), 'none'],
  [
    'HMAC with public keys',
    jwt({ ...KEYS, algorithms: ['RS256', 'HS256'] }),
    'no public key is ever taken for a secret',
  ],
  ['RSA with a secret', jwt({ secret: SECRET, algorithms: ['RS256'] }), 'no public key is ever taken for a secret'],
  ['a short secret', jwt({ secret: 'secret' }), 'as many bytes as the hash'],
  ['a secret too short for its algorithm', jwt({ secret: SECRET, algorithms: 'HS512' }), 'as many bytes as the hash'],
  ['a key that is none', jwt({ publicKeys: 'hello' }), 'it is no public key in PEM'],
  ['a secret as a JWK', jwt({ keys: [{ kty: 'oct', k: 'c2VjcmV0' }] }), 'give it as secret'],
  ['a file that is not there', jwt({ keysFile: '/nowhere/keys.json' }), 'ENOENT'],
  ['authorities that are not there', jwt({ jwks: { url: KEYS.jwks, ca: '/nowhere/ca.pem' } }), 'ENOENT'],
  ['rules without any', { ...jwt(KEYS), require: {} }, 'require needs claims or users'],
  ['a rule that RE2 does not know', { ...jwt(KEYS), require: { claims: { a: { regex: '(?=x)' } } } }, 'that RE2 knows'],
  ['a service that is none', { forward: { url: 'auth:9000' } }, 'is not'],
  [
    'a field that Headgate tells itself',
    { forward: { url: 'http://a/', requestHeaders: ['X-Forwarded-Uri'] } },
    'Headgate itself',
  ],
  ['a field of the connection', { forward: { url: 'http://a/', responseHeaders: ['Connection'] } }, 'connection'],
  ['a field that Headgate writes', { forward: { url: 'http://a/', responseHeaders: ['X-Forwarded-For'] } }, 'itself'],
  ['framing', { forward: { url: 'http://a/', refusalHeaders: ['Content-Length'] } }, 'frames the message'],
  [
    'an identity that the client may tell the service',
    { forward: { url: 'http://a/', requestHeaders: ['X-User'], responseHeaders: ['x-user'] } },
    'is what the service says',
  ],
])('%s is a mistake, told once', (_, auth, words) => {
  const told = mistakesOf(auth);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain(words);
});

test('nothing of a private key or a secret is told', async () => {
  const { privateKey } = await signingKey('ES256');
  const jwk = await crypto.subtle.exportKey('jwk', privateKey);
  const told = [...mistakesOf(jwt({ keys: [jwk] })), ...mistakesOf(jwt({ secret: 'sesame' }))].join('\n');
  expect(told).toContain('private key');
  expect([told.includes(String(jwk.d)), told.includes('sesame')]).toEqual([false, false]);
});

test.each(['jwt.md', 'forward-auth.md'])('examples in docs/%s are sound', (page) => {
  const text = readFileSync(resolve(import.meta.dirname, '../../../../docs', page), 'utf8');
  const examples = [...text.matchAll(/^```yaml\n([\s\S]*?)^```/gm)].map(([, example]) => parse(example ?? ''));
  expect(examples.length).toBeGreaterThan(0);
  for (const example of examples) expect(mistakes(example)).toEqual([]);
});
