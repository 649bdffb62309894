import { describe, expect, test } from 'vitest';
import { type CacheDirectives, parseCacheControl } from '../../../src/http/cache-control.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { responseDirectives } from '../../../src/http/targeted.ts';

const nothing = parseCacheControl(null);
const TARGETS = ['headgate-cache-control', 'cdn-cache-control'];

function said(headers: HeaderList): [string | null, CacheDirectives] {
  const { target, directives } = responseDirectives(headers, TARGETS);
  return [target, directives];
}

describe('which field counts (RFC 9213 §2.2)', () => {
  const control: HeaderList = ['Cache-Control', 'max-age=1'];
  test.each<[string, HeaderList, string | null, number | null]>([
    ['no targeted field', control, null, 1],
    ['one', [...control, 'CDN-Cache-Control', 'max-age=2'], 'cdn-cache-control', 2],
    [
      'the first of the list',
      ['CDN-Cache-Control', 'max-age=2', 'Headgate-Cache-Control', 'max-age=3'],
      TARGETS[0] ?? '',
      3,
    ],
    ['an empty one is absent', [...control, 'CDN-Cache-Control', ' '], null, 1],
    ['one with a syntax error is absent', [...control, 'CDN-Cache-Control', 'max-age=2, &&'], null, 1],
    [
      'the next after a syntax error',
      ['Headgate-Cache-Control', ',', 'CDN-Cache-Control', 'max-age=2'],
      'cdn-cache-control',
      2,
    ],
    ['one that says nothing of freshness', [...control, 'CDN-Cache-Control', 'foo'], 'cdn-cache-control', null],
    ['its lines are one field', ['cdn-cache-control', 'foo', 'CDN-Cache-Control', 'max-age=2'], 'cdn-cache-control', 2],
    ['one that is not listened to', [...control, 'Surrogate-Control', 'max-age=2'], null, 1],
  ])('%s', (_, headers, target, maxAgeS) => {
    const [from, directives] = said(headers);
    expect([from, directives.maxAgeS]).toEqual([target, maxAgeS]);
  });
});

describe('what its members mean (RFC 9213 §2.1)', () => {
  test.each<[string, Partial<CacheDirectives>]>([
    ['max-age=60', { maxAgeS: 60 }],
    ['max-age=60;note="x"', { maxAgeS: 60 }],
    ['max-age=1, max-age=60', { maxAgeS: 60 }],
    ['max-age=99999999999', { maxAgeS: 2 ** 31 }],
    ['no-store, private, no-cache', { noStore: true, private: true, noCache: true }],
    ['must-revalidate, s-maxage=5', { mustRevalidate: true, sMaxAgeS: 5 }],
    ['stale-while-revalidate=3, stale-if-error=4', { staleWhileRevalidateS: 3, staleIfErrorS: 4 }],
    ['public, immutable, must-understand', { public: true, immutable: true, mustUnderstand: true }],
    ['no-cache="Set-Cookie, X-A"', { noCacheFields: ['set-cookie', 'x-a'] }],
    ['private=x-user', { privateFields: ['x-user'] }],
    ['private=("x-user" x-id)', { privateFields: ['x-user', 'x-id'] }],
    ['extension=1', {}],
  ])('%s', (field, expected) => {
    expect(said(['CDN-Cache-Control', field])).toEqual(['cdn-cache-control', { ...nothing, ...expected }]);
  });

  test.each<[string, Partial<CacheDirectives>]>([
    ['max-age="60"', { maxAgeS: 0 }],
    ['max-age', { maxAgeS: 0 }],
    ['max-age=-1', { maxAgeS: 0 }],
    ['max-age=1.5', { maxAgeS: 0 }],
    ['max-age=(60)', { maxAgeS: 0 }],
    ['stale-if-error=x', {}],
    ['no-store=1', { noStore: true }],
    ['no-store=?0', {}],
    ['private=1', { private: true }],
    ['private=()', { private: true }],
    ['private="a b"', { private: true }],
    ['no-cache=?0', {}],
    ['public=1, must-understand="x"', {}],
  ])('%s: of a wrong type, a member makes the cache more careful', (field, expected) => {
    expect(said(['CDN-Cache-Control', field])[1]).toEqual({ ...nothing, ...expected });
  });
});
