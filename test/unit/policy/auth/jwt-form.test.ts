import { expect, test } from 'vitest';
import { readToken } from '../../../../src/policy/auth/jwt-form.ts';
import { CLAIMS, part, unsigned } from '../../../kit/tokens.ts';

const ES256 = { alg: 'ES256', kid: 'k1' };

test('a token is read: its algorithm, the name of its key, its type without application/, and what it claims', () => {
  const text = unsigned({ ...ES256, typ: 'Application/AT+JWT' });
  expect(readToken(text)).toEqual({ text, header: { alg: 'ES256', kid: 'k1', typ: 'at+jwt' }, claims: CLAIMS });
  expect(readToken(unsigned({ alg: 'ES256' }))?.header).toEqual({ alg: 'ES256', kid: null, typ: null });
});

test('where a token says that its key can be found is never read', () => {
  const header = {
    ...ES256,
    jwk: { kty: 'oct', k: 'AAAA' },
    jku: 'https://evil.test',
    x5u: 'https://evil.test',
    x5c: [],
  };
  expect(readToken(unsigned(header))?.header).toEqual({ ...ES256, typ: null });
});

test.each([
  ['nothing', ''],
  ['two dots', '..'],
  ['no token', 'hello'],
  ['two parts', `${part(ES256)}.${part(CLAIMS)}`],
  ['no signature', `${part(ES256)}.${part(CLAIMS)}.`],
  ['no claims', `${part(ES256)}..c2ln`],
  ['an encrypted one, of five parts (RFC 7516 §3.1)', `${part({ alg: 'dir', enc: 'A256GCM' })}.aa.bb.cc.dd`],
  ['four parts', `${unsigned(ES256)}.aa`],
  ['padding', `${part(ES256)}.${part(CLAIMS)}.c2lnbg==`],
  ['the other alphabet of base64', `${part(ES256)}.${part(CLAIMS)}.c2+/`],
  ['a part of one character', `${part(ES256)}.${part(CLAIMS)}.c2lnb`],
  ['blanks', `${part(ES256)}. ${part(CLAIMS)}.c2ln`],
  ['a header that is no JSON', unsigned('{"alg":')],
  ['a header that is a list', unsigned('["ES256"]')],
  ['a header that is null', unsigned('null')],
  ['claims that are text', unsigned(ES256, '"sub"')],
  ['claims that are no UTF-8', `${part(ES256)}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}.c2ln`],
  ['claims that are a token themselves', unsigned({ ...ES256, cty: 'JWT' }, unsigned(ES256))],
  ['alg none (RFC 8725 §2.1)', unsigned({ alg: 'none' })],
  ['alg None', unsigned({ alg: 'nOnE' })],
  ['alg none and no signature', `${part({ alg: 'none' })}.${part(CLAIMS)}.`],
  ['no alg', unsigned({ kid: 'k1' })],
  ['an alg that is a list', unsigned({ alg: ['ES256'] })],
  ['a kid that is a number', unsigned({ alg: 'ES256', kid: 1 })],
  ['a kid longer than any', unsigned({ alg: 'ES256', kid: 'k'.repeat(513) })],
  ['a typ that is an object', unsigned({ ...ES256, typ: {} })],
  ['an extension that must be understood', unsigned({ ...ES256, crit: ['exp'], exp: 1 })],
  ['an empty list of extensions', unsigned({ ...ES256, crit: [] })],
  ['an unencoded payload (RFC 7797)', unsigned({ ...ES256, b64: false })],
  ['an alg that is given twice', unsigned('{"alg":"ES256","alg":"HS256"}')],
  ['a claim that is given twice', unsigned(ES256, '{"sub":"ada","exp":4000000000,"sub":"eve"}')],
  ['a claim that is given twice, escaped', unsigned(ES256, '{"sub":"ada","\\u0073ub":"eve"}')],
  ['an inner claim that is given twice', unsigned(ES256, '{"a":[{"b":1,"b":2}]}')],
  ['more than 16 KiB', unsigned(ES256, { ...CLAIMS, pad: 'x'.repeat(16_384) })],
])('%s is no token', (_, text) => {
  expect(readToken(text)).toBeNull();
});

test('colons and quotes in names and values are not taken for members', () => {
  const claims = { 'a:"b': 'c:":\\"', d: ['::', { e: ':' }], __proto: 1, '': 2 };
  expect(readToken(unsigned(ES256, claims))?.claims).toEqual(claims);
});

test('a name that objects have anyway is a name like any other', () => {
  const token = readToken(unsigned(ES256, '{"__proto__":{"admin":true},"constructor":1}'));
  expect(Object.keys(token?.claims ?? {})).toEqual(['__proto__', 'constructor']);
  expect(token?.claims['admin']).toBeUndefined();
});

test('brackets without end are read or refused, and nothing breaks', () => {
  const depth = 5_000;
  const token = readToken(unsigned(ES256, `{"a":${'['.repeat(depth)}${']'.repeat(depth)}}`));
  expect([null, 'ES256']).toContain(token === null ? null : token.header.alg);
});
