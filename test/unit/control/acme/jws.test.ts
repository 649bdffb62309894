import { createHmac, createPublicKey, verify } from 'node:crypto';
import { expect, test } from 'vitest';
import {
  accountKeyOf,
  generateAccountKey,
  thumbprintOf,
} from '../../../../src/control/certificates/acme/account-key.ts';
import {
  externalAccountBinding,
  type FlattenedJws,
  signedRequest,
} from '../../../../src/control/certificates/acme/jws.ts';

const url = 'https://ca.test/new-order';

function decoded(part: string): unknown {
  return JSON.parse(Buffer.from(part, 'base64url').toString());
}

function isSignedBy(jws: FlattenedJws, jwk: object): boolean {
  const key = createPublicKey({ key: jwk, format: 'jwk' } as Parameters<typeof createPublicKey>[0]);
  return verify(
    'sha256',
    Buffer.from(`${jws.protected}.${jws.payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(jws.signature, 'base64url'),
  );
}

test('RFC 7638 §3.1: the thumbprint of the example key', () => {
  const n =
    '0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMst' +
    'n64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91' +
    'CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw';
  const jwk = { kty: 'RSA', n, e: 'AQAB', alg: 'RS256', kid: '2011-04-29' };
  expect(thumbprintOf(jwk)).toBe('NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs');
});

test('RFC 7638 §3.2: only the members that make the key count, in whatever order they came', () => {
  const { key } = generateAccountKey();
  const { kty, crv, x, y } = key.jwk as Record<string, string>;
  expect(thumbprintOf({ y, use: 'sig', x, crv, kty })).toBe(key.thumbprint);
  expect(() => thumbprintOf({ kty: 'oct', k: 'c2VjcmV0' })).toThrow(TypeError);
});

test('RFC 8555 §6.2: a request of an account is signed with ES256 over nonce, URL and account', () => {
  const { key } = generateAccountKey();
  const signer = { kid: 'https://ca.test/account/1' };
  const jws = signedRequest(key, { url, nonce: 'n-1', signer }, { identifiers: [] });
  expect(decoded(jws.protected)).toEqual({ alg: 'ES256', kid: signer.kid, nonce: 'n-1', url });
  expect(decoded(jws.payload)).toEqual({ identifiers: [] });
  expect(isSignedBy(jws, key.jwk)).toBe(true);
  expect(isSignedBy({ ...jws, payload: 'e30' }, key.jwk)).toBe(false);
});

test('RFC 8555 §6.2: a key without an account shows its public part, and nothing more of it', () => {
  const { key } = generateAccountKey();
  const jws = signedRequest(key, { url, nonce: 'n-1', signer: { jwk: key.jwk } }, {});
  expect(Object.keys((decoded(jws.protected) as { jwk: object }).jwk).sort()).toEqual(['crv', 'kty', 'x', 'y']);
});

test('RFC 8555 §6.3: a POST-as-GET has an empty payload, which is not an empty object', () => {
  const { key } = generateAccountKey();
  expect(signedRequest(key, { url, nonce: 'n', signer: { kid: 'k' } }, null).payload).toBe('');
  expect(signedRequest(key, { url, nonce: 'n', signer: { kid: 'k' } }, {}).payload).toBe('e30');
});

test('RFC 8555 §7.3.4: an external account binding is the account key under the MAC key, without a nonce', () => {
  const { key } = generateAccountKey();
  const hmac = Buffer.alloc(32, 7).toString('base64url');
  const jws = externalAccountBinding({ kid: 'kid-1', hmac }, url, key.jwk);
  expect(decoded(jws.protected)).toEqual({ alg: 'HS256', kid: 'kid-1', url });
  expect(decoded(jws.payload)).toEqual(key.jwk);
  const expected = createHmac('sha256', Buffer.alloc(32, 7)).update(`${jws.protected}.${jws.payload}`);
  expect(jws.signature).toBe(expected.digest('base64url'));
});

test('a stored account key is the same key; half a file is none', () => {
  const { key, pem } = generateAccountKey();
  expect(accountKeyOf(pem)?.thumbprint).toBe(key.thumbprint);
  expect(accountKeyOf(pem.slice(0, 100))).toBeNull();
  expect(accountKeyOf('')).toBeNull();
});
