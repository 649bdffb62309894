import { createHmac, generateKeyPairSync } from 'node:crypto';
import { SignJWT } from 'jose';
import { expect, test } from 'vitest';
import { jwkKey, pemKey, secretKey } from '../../../../src/control/policies/jwt/jose-key.ts';
import { keySetOfFile, keySetOfIssuer } from '../../../../src/control/policies/jwt/key-set.ts';
import { candidates, type TokenKey } from '../../../../src/policy/auth/token-keys.ts';
import { ALGORITHMS, jwks, part, signingKey, token } from '../../../kit/tokens.ts';

const SECRET = 'a secret that nobody knows, 32 B!';

function usable(key: TokenKey | string): TokenKey {
  if (typeof key === 'string') throw new Error(key);
  return key;
}

test.each(ALGORITHMS)('%s: a signature is verified by its key, as JWK and in PEM, and by no other', async (alg) => {
  const [mine, other] = [await signingKey(alg), await signingKey(alg, 'other')];
  const text = await token(mine);
  for (const key of [usable(jwkKey(mine.jwk)), usable(pemKey(mine.pem))]) {
    expect(await key.verify(text, alg)).toBe(true);
    expect(await key.verify(await token(other), alg)).toBe(false);
    expect(await key.verify(`${text.slice(0, -8)}AAAAAAAA`, alg)).toBe(false);
    const [header, , signature] = text.split('.');
    expect(await key.verify(`${header}.${part({ sub: 'eve' })}.${signature}`, alg)).toBe(false);
  }
});

test('a shared secret verifies what it is long enough for', async () => {
  const key = secretKey(SECRET);
  expect([...key.algorithms]).toEqual(['HS256']);
  const text = await new SignJWT({}).setProtectedHeader({ alg: 'HS256' }).sign(Buffer.from(SECRET));
  expect(await key.verify(text, 'HS256')).toBe(true);
  expect(await secretKey(`${SECRET}!`).verify(text, 'HS256')).toBe(false);
  expect([...secretKey('x'.repeat(64)).algorithms]).toEqual(['HS256', 'HS384', 'HS512']);
});

test('a token that is signed with the text of a public key as its secret is refused (RFC 8725 §2.1)', async () => {
  const mine = await signingKey('RS256');
  const head = `${part({ alg: 'HS256', kid: mine.kid })}.${part({ sub: 'eve' })}`;
  for (const secret of [mine.pem, JSON.stringify(mine.jwk)]) {
    const text = `${head}.${createHmac('sha256', secret).update(head).digest('base64url')}`;
    for (const key of [usable(jwkKey(mine.jwk)), usable(pemKey(mine.pem))]) {
      expect(candidates({ keys: [key] }, null, 'HS256')).toEqual([]);
      expect(await key.verify(text, 'HS256')).toBe(false);
    }
  }
});

test('keys verify what their kind is for, and less where they say so', async () => {
  const { alg, ...anyAlgorithm } = (await signingKey('RS256')).jwk;
  expect(alg).toBe('RS256');
  const algorithms = [...usable(jwkKey(anyAlgorithm)).algorithms];
  expect(algorithms).toEqual(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']);
  expect([...usable(jwkKey((await signingKey('RS256')).jwk)).algorithms]).toEqual(['RS256']);
  expect([...usable(pemKey((await signingKey('ES256')).pem)).algorithms]).toEqual(['ES256']);
  expect([...usable(pemKey((await signingKey('EdDSA')).pem)).algorithms]).toEqual(['EdDSA', 'Ed25519']);
});

test('keys that are of no use are told, with nothing of them', async () => {
  const { jwk } = await signingKey('ES256');
  const small = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey;
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const curve = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey;
  expect(jwkKey({ kty: 'oct', k: 'c2VjcmV0' })).toMatch(/shared secret/);
  expect(jwkKey(pair.privateKey.export({ format: 'jwk' }))).toMatch(/private key/);
  expect(pemKey(pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString())).toMatch(/private key/);
  expect(jwkKey(small.export({ format: 'jwk' }))).toMatch(/shorter than 2048 bits/);
  expect(jwkKey(curve.export({ format: 'jwk' }))).toMatch(/not known here/);
  expect(jwkKey({ ...jwk, use: 'enc' })).toMatch(/not for signatures/);
  expect(jwkKey({ ...jwk, key_ops: ['encrypt'] })).toMatch(/not for verifying/);
  expect(jwkKey({ ...jwk, alg: 'HS256' })).toMatch(/not for keys of its kind/);
  expect(jwkKey({ ...jwk, x: 'AAAA' })).toBe('it is no public key');
  expect(jwkKey('key')).toMatch(/no JSON object/);
  expect(jwkKey({ ...jwk, kid: 7 })).toMatch(/kid/);
  expect(pemKey('hello')).toMatch(/no public key in PEM/);
});

test('of several keys those with the name of the token’s are tried, else those without a name; eight at most', async () => {
  const [a, b] = [
    usable(jwkKey((await signingKey('ES256')).jwk)),
    usable(jwkKey((await signingKey('ES256', 'b')).jwk)),
  ];
  const nameless = usable(pemKey((await signingKey('ES256', 'c')).pem));
  const set = { keys: [a, b, nameless] };
  expect(candidates(set, 'b', 'ES256')).toEqual([b]);
  expect(candidates(set, 'z', 'ES256')).toEqual([nameless]);
  expect(candidates(set, null, 'ES256')).toEqual([a, b, nameless]);
  expect(candidates(set, 'b', 'RS256')).toEqual([]);
  expect(candidates({ keys: Array.from({ length: 20 }, () => a) }, null, 'ES256')).toHaveLength(8);
});

test('a file holds a JWK set or PEM blocks, all of them of use', async () => {
  const [first, second] = [await signingKey('ES256'), await signingKey('EdDSA')];
  expect(keySetOfFile(Buffer.from(jwks(first, second))).keys.map(({ kid }) => kid)).toEqual(['k1', 'k1']);
  expect(keySetOfFile(Buffer.from(`${first.pem}\n${second.pem}`)).keys).toHaveLength(2);
  const failing = (text: string) => () => keySetOfFile(Buffer.from(text));
  expect(failing('')).toThrow('it is no JSON');
  expect(failing('{"keys":{}}')).toThrow('it is no JWK set');
  expect(failing('{"keys":[]}')).toThrow('it has no key');
  expect(failing(JSON.stringify({ keys: [first.jwk, { kty: 'oct', k: 'c2VjcmV0' }] }))).toThrow(/^key 2 can't be used/);
  expect(failing(JSON.stringify({ keys: Array(101).fill(first.jwk) }))).toThrow('more than 100 keys');
});

test('of what an issuer publishes the keys are taken that are of use', async () => {
  const mine = await signingKey('ES256');
  const keys = [{ kty: 'oct', k: 'c2VjcmV0' }, { ...mine.jwk, use: 'enc' }, null, mine.jwk];
  expect(keySetOfIssuer(Buffer.from(JSON.stringify({ keys }))).keys).toHaveLength(1);
  expect(() => keySetOfIssuer(Buffer.from(JSON.stringify({ keys: keys.slice(0, 3) })))).toThrow(/no key that/);
});
