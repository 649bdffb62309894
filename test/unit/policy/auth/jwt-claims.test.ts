import { expect, test } from 'vitest';
import { type TokenRules, vet } from '../../../../src/policy/auth/jwt-claims.ts';

const RULES: TokenRules = {
  issuers: new Set(['https://a.test', 'https://b.test']),
  audiences: new Set(['shop', 'till']),
  algorithms: null,
  types: null,
  skewMs: 30_000,
  maxAgeMs: null,
  required: ['exp'],
};
const NOW = 1_000_000;
const SOUND = { iss: 'https://a.test', aud: 'shop', exp: 1_100 };

function judged(claims: object, rules: Partial<TokenRules> = {}, header: object = {}): string {
  const token = {
    text: '',
    header: { alg: 'ES256', kid: null, typ: null, ...header },
    claims: { ...SOUND, ...claims },
  };
  const vetted = vet(token, { ...RULES, ...rules }, NOW);
  return vetted.ok ? `until ${vetted.untilMs}` : vetted.why;
}

test.each([
  ['a sound token, until exp and the skew', {}, {}, 'until 1130000'],
  ['another issuer of the list', { iss: 'https://b.test' }, {}, 'until 1130000'],
  ['a foreign issuer', { iss: 'https://c.test' }, {}, 'token-issuer'],
  ['an issuer that only begins so', { iss: 'https://a.test/' }, {}, 'token-issuer'],
  ['a list of issuers', { iss: ['https://a.test'] }, {}, 'token-issuer'],
  ['no issuer', { iss: undefined }, {}, 'token-issuer'],
  ['no issuer where any will do', { iss: undefined }, { issuers: null }, 'until 1130000'],
  ['a list of audiences with ours', { aud: ['x', 'till'] }, {}, 'until 1130000'],
  ['a foreign audience', { aud: 'x' }, {}, 'token-audience'],
  ['audiences that are no text', { aud: [{ shop: 1 }, 1] }, {}, 'token-audience'],
  ['no audience', { aud: undefined }, {}, 'token-audience'],
  ['no audience where any will do', { aud: undefined }, { audiences: null }, 'until 1130000'],
  ['expired, within the skew', { exp: 971 }, {}, 'until 1001000'],
  ['expired, at the end of the skew', { exp: 970 }, {}, 'token-expired'],
  ['expired without a skew', { exp: 1000 }, { skewMs: 0 }, 'token-expired'],
  ['no exp', { exp: undefined }, {}, 'token-claim-missing'],
  ['no exp where none is needed', { exp: undefined }, { required: [] }, 'until Infinity'],
  ['an exp that is text', { exp: '1100' }, {}, 'token-malformed'],
  ['an exp beyond numbers', { exp: Number.POSITIVE_INFINITY }, {}, 'token-malformed'],
  ['an exp that is null', { exp: null }, {}, 'token-malformed'],
  ['valid soon, within the skew', { nbf: 1030 }, {}, 'until 1130000'],
  ['valid later', { nbf: 1031 }, {}, 'token-not-yet-valid'],
  ['an nbf that is text', { nbf: 'soon' }, {}, 'token-malformed'],
  ['an iat that is text', { iat: 'now' }, {}, 'token-malformed'],
  ['issued in the future, where nobody asks', { iat: 2000 }, {}, 'until 1130000'],
  ['issued in the future, where its age counts', { iat: 2000 }, { maxAgeMs: 60_000 }, 'token-not-yet-valid'],
  ['young enough', { iat: 950 }, { maxAgeMs: 60_000 }, 'until 1040000'],
  ['too old', { iat: 900 }, { maxAgeMs: 60_000 }, 'token-expired'],
  ['without an age', {}, { maxAgeMs: 60_000 }, 'token-claim-missing'],
  ['without a claim', {}, { required: ['email'] }, 'token-claim-missing'],
  ['with a claim inside another', { org: { id: 0 } }, { required: ['org.id'] }, 'until 1130000'],
])('%s', (_, claims, rules, expected) => {
  expect(judged(claims, rules)).toBe(expected);
});

test('algorithms and types that are listed are the only ones', () => {
  const listed = { algorithms: new Set(['ES256']), types: new Set(['at+jwt']) };
  expect(judged({}, listed, { typ: 'at+jwt' })).toBe('until 1130000');
  expect(judged({}, listed, { typ: 'jwt' })).toBe('token-type');
  expect(judged({}, listed)).toBe('token-type');
  expect(judged({}, listed, { alg: 'HS256', typ: 'at+jwt' })).toBe('token-algorithm');
});
