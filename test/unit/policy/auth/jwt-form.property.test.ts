import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readToken } from '../../../../src/policy/auth/jwt-form.ts';
import { tokenPlace } from '../../../../src/policy/auth/token-place.ts';
import { part, unsigned } from '../../../kit/tokens.ts';
import { variables } from '../exchange-facts.ts';

const RUN = { seed: 7519, numRuns: 100 };

test('what is read as a token has the claims that are in it, and nothing breaks on what is none', () => {
  const anything = fc.oneof(
    fc.string({ maxLength: 200 }),
    fc.tuple(fc.jsonValue(), fc.jsonValue()).map(([a, b]) => unsigned(JSON.stringify(a), JSON.stringify(b))),
    fc
      .tuple(fc.dictionary(fc.string(), fc.jsonValue()), fc.string())
      .map(([a, b]) => unsigned({ alg: 'ES256', ...a }, b)),
    fc
      .uint8Array({ maxLength: 60 })
      .map((octets) => `${part({ alg: 'ES256' })}.${Buffer.from(octets).toString('base64url')}.aa`),
  );
  fc.assert(
    fc.property(anything, (text) => {
      const token = readToken(text);
      if (token === null) return;
      expect(token.header.alg.toLowerCase()).not.toBe('none');
      const claims = Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8');
      expect(token.claims).toEqual(JSON.parse(claims));
    }),
    RUN,
  );
});

test('sound claims are always read, whatever is in them', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (claims) => {
      expect(readToken(unsigned({ alg: 'ES256' }, claims))?.claims).toEqual(JSON.parse(JSON.stringify(claims)));
    }),
    RUN,
  );
});

test('a member that is given twice is never read', () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.jsonValue(), (claims, other) => {
      const [name] = Object.keys(claims);
      const text = `${JSON.stringify(claims).slice(0, -1)},${JSON.stringify(name)}:${JSON.stringify(other)}}`;
      expect(readToken(unsigned({ alg: 'ES256' }, text))).toBeNull();
    }),
    RUN,
  );
});

test('a token is found byte for byte, in each of its places', () => {
  const token = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,20}\.[A-Za-z0-9_-]{1,20}$/);
  fc.assert(
    fc.property(token, (text) => {
      const found = (headers: readonly string[], query: string | null, from: Parameters<typeof tokenPlace>[0]) =>
        tokenPlace(from)(variables({ request: { headers }, query }));
      const one = { kind: 'one', token: text };
      expect(found(['Authorization', `bearer  ${text}`], null, ['bearer'])).toMatchObject(one);
      expect(found(['Cookie', `a=b;id=${text} ; c`], null, [{ cookie: 'id' }])).toMatchObject(one);
      expect(found([], `a&t=${encodeURIComponent(text)}&b`, [{ query: 't' }])).toMatchObject(one);
      expect(found([], `t=${text}&t=${text}`, [{ query: 't' }])).toEqual({ kind: 'many' });
    }),
    RUN,
  );
});
