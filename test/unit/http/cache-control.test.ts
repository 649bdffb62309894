import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type CacheDirectives, parseCacheControl } from '../../../src/http/cache-control.ts';

const nothing = parseCacheControl(null);

function expectOnly(field: string, directives: Partial<CacheDirectives>): void {
  expect(parseCacheControl(field)).toEqual({ ...nothing, ...directives });
}

describe('parseCacheControl', () => {
  const cases: [string, Partial<CacheDirectives>][] = [
    ['', {}],
    [' , ,', {}],
    ['max-age=60', { maxAgeS: 60 }],
    ['MAX-AGE=60', { maxAgeS: 60 }],
    ['s-maxage=5,max-age=0', { sMaxAgeS: 5, maxAgeS: 0 }],
    ['public, must-revalidate, proxy-revalidate', { public: true, mustRevalidate: true, proxyRevalidate: true }],
    ['No-Store', { noStore: true }],
    ['no-store=x', { noStore: true }],
    [
      'no-transform,immutable,only-if-cached,must-understand',
      { noTransform: true, immutable: true, onlyIfCached: true, mustUnderstand: true },
    ],
    ['max-stale', { maxStaleS: Number.POSITIVE_INFINITY }],
    ['max-stale=10, min-fresh=20', { maxStaleS: 10, minFreshS: 20 }],
    ['stale-while-revalidate=30, stale-if-error=40', { staleWhileRevalidateS: 30, staleIfErrorS: 40 }],
    ['foo, bar=1, baz="x", private', { private: true }],
  ];
  test.each(cases)('%j (RFC 9111 §5.2)', expectOnly);

  const arguments_: [string, Partial<CacheDirectives>][] = [
    ['max-age="60"', { maxAgeS: 60 }],
    ['max-age="6\\0"', { maxAgeS: 60 }],
    ['no-cache', { noCache: true }],
    ['no-cache=""', { noCache: true }],
    ['no-cache="Set-Cookie, X-A"', { noCacheFields: ['set-cookie', 'x-a'] }],
    ['private=x-a', { privateFields: ['x-a'] }],
    ['private="a", private="b"', { privateFields: ['a', 'b'] }],
    ['private="a", private', { private: true, privateFields: ['a'] }],
  ];
  test.each(arguments_)('%j: token and quoted string are alike (RFC 9111 §5.2)', expectOnly);

  const quoted: [string, Partial<CacheDirectives>][] = [
    ['foo="no-store, max-age=1", max-age=2', { maxAgeS: 2 }],
    ['foo="a\\", max-age=1", max-age=2', { maxAgeS: 2 }],
    ['foo="no-store', {}],
    ['foo="a, no-store', { noStore: true }],
    ['"max-age=1", max-age=2', { maxAgeS: 2 }],
  ];
  test.each(quoted)('%j: quotes hide what they enclose, an open one hides nothing (RFC 9110 §5.6.4)', expectOnly);

  const invalid: [string, Partial<CacheDirectives>][] = [
    ['max-age', { maxAgeS: 0 }],
    ['max-age=', { maxAgeS: 0 }],
    ['max-age=-5', { maxAgeS: 0 }],
    ['max-age=60.5', { maxAgeS: 0 }],
    ['max-age=60s', { maxAgeS: 0 }],
    ['max-age= 60 ', { maxAgeS: 0 }],
    ['max-age=60 ', { maxAgeS: 60 }],
    ['no-cache= "a"', { noCache: true }],
    ['no-cache=","', { noCache: true }],
    ['private="a b"', { private: true }],
    ['private="a, b', { private: true }],
    ['max-age =60', { maxAgeS: 0 }],
    ["max-age='60'", { maxAgeS: 0 }],
    ['max-stale =10', {}],
    ['s-maxage=x', { sMaxAgeS: 0 }],
    ['stale-while-revalidate=x, stale-if-error, min-fresh=-1, max-stale=x', {}],
  ];
  test.each(invalid)('%j: invalid freshness is stale, other invalid times are none (RFC 9111 §4.2.1)', expectOnly);

  const repeated: [string, Partial<CacheDirectives>][] = [
    ['max-age=1, max-age=60', { maxAgeS: 1 }],
    ['max-age=60, max-age=1', { maxAgeS: 60 }],
    ['max-age=x, max-age=60', { maxAgeS: 0 }],
    ['no-store, no-store', { noStore: true }],
  ];
  test.each(repeated)('%j: the first time counts (RFC 9111 §4.2.1)', expectOnly);

  test.each([
    ['2147483647', 2_147_483_647],
    ['2147483648', 2_147_483_648],
    ['2147483649', 2_147_483_648],
    ['99999999999999999999999999', 2_147_483_648],
    ['0060', 60],
  ])('max-age=%s counts as %i seconds (RFC 9111 §1.2.2)', (digits, seconds) => {
    expect(parseCacheControl(`max-age=${digits}`).maxAgeS).toBe(seconds);
  });

  test('an absent field says nothing, whoever asks', () => {
    expect(nothing).toEqual(parseCacheControl(''));
    expect(parseCacheControl(null)).toBe(nothing);
    expect(Object.isFrozen(nothing)).toBe(true);
  });

  test('comes to an end on any text, and a leading no-store is never lost', () => {
    const piece = fc.constantFrom('no-cache', 'max-age', '=', '"', '\\', ',', ' ', '5', 'x', '\u00e9');
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 15 }), (pieces) => {
        expect(parseCacheControl(`no-store, ${pieces.join('')}`).noStore).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});
