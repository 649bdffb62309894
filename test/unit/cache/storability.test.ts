import { describe, expect, test } from 'vitest';
import type { CacheRequest } from '../../../src/cache/key.ts';
import type { CachePolicy } from '../../../src/cache/policy.ts';
import { storability } from '../../../src/cache/storability.ts';
import type { ResponseHead } from '../../../src/exchange/response-sink.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { get, HOUR, ok, policy, SECOND, T0, ttl } from './origin.ts';

function verdictOf(head: ResponseHead, request: CacheRequest = get(), by: CachePolicy = policy): string | number {
  const verdict = storability(request, head, by, T0);
  return verdict.store ? verdict.freshMs / SECOND : verdict.why;
}

const TAG: HeaderList = ['ETag', '"v1"'];
const cc = (value: string): HeaderList => ['Cache-Control', value];

describe('what may be stored (RFC 9111 §3)', () => {
  test.each<[string, HeaderList, string | number]>([
    ['§5.2.2.1 max-age', cc('max-age=60'), 60],
    ['§5.2.2.10 s-maxage wins over max-age', cc('max-age=60, s-maxage=5'), 5],
    ['§5.2 names are case-insensitive', cc('MAX-AGE=60'), 60],
    ['§5.2 a quoted argument', cc('max-age="60"'), 60],
    ['§4.2.1 the first of two values', cc('max-age=60, max-age=5'), 60],
    ['§4.2.1 invalid freshness counts as stale', cc('max-age=soon'), 'no-freshness'],
    ['§4.2.1 invalid freshness with a validator', [...cc('max-age=soon'), ...TAG], 0],
    ['§5.2.2.5 no-store', cc('max-age=60, no-store'), 'no-store'],
    ['§5.2.2.5 NO-STORE in any case', cc('max-age=60, No-Store'), 'no-store'],
    ['§5.2.2.5 no-store on a line of its own', [...cc('max-age=60'), ...cc('no-store')], 'no-store'],
    ['§5.2.2.7 private', cc('private, max-age=60'), 'private'],
    ['§5.2.2.7 private with field names concerns only them', cc('private="x-user", max-age=60'), 60],
    ['§5.2.2.4 no-cache with a validator is stored', [...cc('no-cache'), ...TAG], 0],
    ['§5.2.2.4 no-cache without a validator is of no use', cc('no-cache, max-age=60'), 'no-freshness'],
    ['§5.2.2.4 no-cache with field names concerns only them', cc('no-cache="x-user", max-age=60'), 60],
    ['§5.2 a directive within quotes is none', cc('extension="no-store", max-age=60'), 60],
    ['§5.2.2.3 must-understand overrides no-store for a known status', cc('must-understand, no-store, max-age=60'), 60],
    ['§4.2.1 max-age=0 without a validator is of no use', cc('max-age=0'), 'no-freshness'],
    ['§4.2.1 max-age=0 with a validator', [...cc('max-age=0'), ...TAG], 0],
    ['§4.2.3 older than its lifetime on arrival', [...cc('max-age=60'), 'Age', '61'], 'no-freshness'],
    ['§4.2.3 half its lifetime gone on arrival', [...cc('max-age=60'), 'Age', '30'], 60],
    ['nothing is said', [], 'no-freshness'],
    ['only a validator', TAG, 'no-freshness'],
    ['§4.1 Vary: *', [...cc('max-age=60'), 'Vary', '*'], 'vary-star'],
    ['§4.1 a star among names', [...cc('max-age=60'), 'Vary', 'Accept, *'], 'vary-star'],
    ['§4.1 a star on the second line', [...cc('max-age=60'), 'Vary', 'Accept', 'vary', ' *'], 'vary-star'],
    ['a Vary that no two requests can be compared by', [...cc('max-age=60'), 'Vary', 'X-Forwarded-For'], 'vary-unseen'],
    ['§7.3 Set-Cookie', [...cc('max-age=60'), 'Set-Cookie', 'id=1'], 'set-cookie'],
    ['§7.3 Set-Cookie that is taken out', [...cc('max-age=60, no-cache="Set-Cookie"'), 'Set-Cookie', 'id=1'], 60],
    ['a body over the limit', [...cc('max-age=60'), 'Content-Length', '1048577'], 'too-large'],
    ['a body at the limit', [...cc('max-age=60'), 'Content-Length', '1048576'], 60],
    ['§5.3 Expires', ['Expires', formatHttpDate(T0 + 90 * SECOND)], 90],
    ['§5.3 max-age wins over Expires', [...cc('max-age=60'), 'Expires', formatHttpDate(T0 - HOUR)], 60],
    [
      'RFC 9213 §2.2 a targeted field wins over Cache-Control',
      [...cc('no-store'), 'CDN-Cache-Control', 'max-age=7'],
      7,
    ],
    ['RFC 9213 §2.2 also when it forbids', [...cc('max-age=60'), 'CDN-Cache-Control', 'no-store'], 'no-store'],
    [
      'RFC 9213 §2.2 Expires does not count beside it',
      ['CDN-Cache-Control', 'foo', 'Expires', formatHttpDate(T0 + 90 * SECOND)],
      'no-freshness',
    ],
    ['RFC 9213 §2.1 a broken one is absent', [...cc('max-age=60'), 'CDN-Cache-Control', 'no-store,'], 60],
    ['§4.2.1 the first of two Expires', ['Expires', formatHttpDate(T0 + 90 * SECOND), 'Expires', '0'], 90],
    ['§4.1 a Vary that names no field', [...cc('max-age=60'), 'Vary', 'Accept Encoding'], 'vary-star'],
    ['§5.3 "0" is in the past', ['Expires', '0', ...TAG], 0],
    ['§5.3 an Expires that is past', ['Expires', formatHttpDate(T0 - HOUR), ...TAG], 0],
    ['§4.2.2 a tenth of the time since Last-Modified', ['Last-Modified', formatHttpDate(T0 - HOUR)], 360],
    ['§4.2.2 a day at most', ['Last-Modified', formatHttpDate(T0 - 10_000 * HOUR)], 86_400],
    ['§4.2.2 a Last-Modified after Date says nothing', ['Last-Modified', formatHttpDate(T0 + HOUR)], 'no-freshness'],
    [
      '§4.2.2 stated freshness forbids the estimate',
      [...cc('max-age=5'), 'Last-Modified', formatHttpDate(T0 - HOUR)],
      5,
    ],
  ])('%s', (_name, headers, expected) => {
    expect(verdictOf(ok(headers))).toBe(expected);
  });

  test.each<[number, HeaderList, string | number]>([
    [404, cc('max-age=60'), 60],
    [500, cc('max-age=60'), 60],
    [302, cc('max-age=60'), 60],
    [599, cc('max-age=60'), 60],
    [599, cc('max-age=60, must-understand'), 'status'],
    [206, cc('max-age=60'), 'partial'],
    [304, cc('max-age=60'), 'status'],
    [103, cc('max-age=60'), 'status'],
    [404, ['Last-Modified', formatHttpDate(T0 - HOUR)], 360],
    [302, ['Last-Modified', formatHttpDate(T0 - HOUR)], 'no-freshness'],
    [302, [...cc('public'), 'Last-Modified', formatHttpDate(T0 - HOUR)], 360],
  ])('status %i with %j: %s', (status, headers, expected) => {
    expect(verdictOf(ok(headers, T0, status))).toBe(expected);
  });

  test.each(['HEAD', 'POST', 'QUERY', 'PROPFIND'])('a response to %s is not stored', (method) => {
    expect(verdictOf(ok(cc('max-age=60')), get([], { method }))).toBe('method');
  });

  test.each<[string, string | number]>([
    ['max-age=60', 'authorization'],
    ['max-age=60, public', 60],
    ['max-age=60, must-revalidate', 60],
    ['s-maxage=60', 60],
    ['max-age=60, proxy-revalidate', 'authorization'],
  ])('§3.5 a request with Authorization and a response with "%s": %s', (directives, expected) => {
    expect(verdictOf(ok(cc(directives)), get(['authorization', 'Basic eDp5']))).toBe(expected);
  });

  test('§5.2.1.5 a request with no-store forbids to store its response', () => {
    expect(verdictOf(ok(cc('max-age=60')), get(['cache-control', 'no-store']))).toBe('no-store');
  });

  test('§5.2.2.4, §5.2.2.7 fields named by no-cache and private are left out', () => {
    const verdict = storability(get(), ok(cc('max-age=60, no-cache="X-A, x-b", private="X-C"')), policy, T0);
    expect(verdict).toMatchObject({ store: true, omit: ['x-a', 'x-b', 'x-c'] });
  });

  test.each([
    ['must-revalidate', true],
    ['proxy-revalidate', true],
    ['s-maxage=60', true],
    ['immutable', false],
  ])('§4.2.4 %s forbids to serve it stale: %s', (directive, mustRevalidate) => {
    expect(storability(get(), ok(cc(`max-age=60, ${directive}`)), policy, T0)).toMatchObject({ mustRevalidate });
  });
});

describe('the route’s policy', () => {
  const withTtl: CachePolicy = { ...policy, defaultTtl: ttl(300 * SECOND) };

  test.each<[string, ResponseHead, string | number]>([
    ['gives a lifetime to what states none', ok([]), 300],
    ['does not touch what states one', ok(cc('max-age=5')), 5],
    ['does not touch an Expires in the past', ok(['Expires', '0']), 'no-freshness'],
    ['goes before the estimate', ok(['Last-Modified', formatHttpDate(T0 - HOUR)]), 300],
    ['is not for errors', ok([], T0, 404), 'no-freshness'],
    ['is not for redirects that are temporary', ok([], T0, 302), 'no-freshness'],
    ['does not undo private', ok(cc('private')), 'private'],
  ])('a default lifetime %s', (_name, head, expected) => {
    expect(verdictOf(head, get(), withTtl)).toBe(expected);
  });

  test.each<[string, CachePolicy['setCookie'], HeaderList, string | number]>([
    ['refuse', 'refuse', ['lang=de'], 'set-cookie'],
    ['strip', 'strip', ['lang=de'], 60],
    ['all are named', new Set(['lang', 'seen']), ['lang=de; Path=/', ' seen =1;x=2'], 60],
    ['one is not named', new Set(['lang']), ['lang=de', 'id=1'], 'set-cookie'],
    ['names are case-sensitive', new Set(['lang']), ['Lang=de'], 'set-cookie'],
    ['a name within a value', new Set(['lang']), ['id; lang=de'], 'set-cookie'],
    ['a cookie without a name', new Set(['lang']), ['lang'], 'set-cookie'],
  ])('setCookie: %s', (_name, setCookie, fields, expected) => {
    const headers = fields.flatMap((field) => ['Set-Cookie', field]);
    expect(verdictOf(ok([...cc('max-age=60'), ...headers]), get(), { ...policy, setCookie })).toBe(expected);
  });

  test('setCookie: strip leaves the cookies out of what is stored', () => {
    const head = ok([...cc('max-age=60'), 'Set-Cookie', 'lang=de']);
    const verdict = storability(get(), head, { ...policy, setCookie: 'strip' }, T0);
    expect(verdict).toMatchObject({ store: true, omit: ['set-cookie'] });
  });
});

describe('how long it may be served stale (RFC 5861)', () => {
  const lenient = { ...policy, staleWhileRevalidateMs: 5 * SECOND, staleIfErrorMs: 7 * SECOND };
  const allowance = (control: string, by = lenient): readonly number[] | string => {
    const verdict = storability(get(), ok([...cc(control), ...TAG]), by, T0);
    if (!verdict.store) return verdict.why;
    return [verdict.staleWhileRevalidateMs / SECOND, verdict.staleIfErrorMs / SECOND];
  };

  test.each<[string, string, readonly number[]]>([
    ['§3, §4 what it says itself', 'max-age=60, stale-while-revalidate=30, stale-if-error=40', [30, 40]],
    ['the route where it says nothing', 'max-age=60', [5, 7]],
    ['each for itself', 'max-age=60, stale-if-error=40', [5, 40]],
    ['0 is something, too', 'max-age=60, stale-while-revalidate=0, stale-if-error=0', [0, 0]],
    ['what is no number counts as nothing', 'max-age=60, stale-while-revalidate=soon', [5, 7]],
    ['RFC 9111 §5.2.2.2 must-revalidate', 'max-age=60, stale-while-revalidate=30, must-revalidate', [0, 0]],
    ['RFC 9111 §5.2.2.8 proxy-revalidate', 'max-age=60, stale-if-error=30, proxy-revalidate', [0, 0]],
    ['RFC 9111 §5.2.2.10 s-maxage', 's-maxage=60, stale-if-error=30, stale-while-revalidate=30', [0, 0]],
    ['RFC 9111 §5.2.2.4 no-cache', 'no-cache, stale-if-error=30, stale-while-revalidate=30', [0, 0]],
  ])('%s', (_name, control, expected) => {
    expect(allowance(control)).toEqual(expected);
  });

  test('what may be served stale is stored, although it is stale at once and has no validator', () => {
    expect(verdictOf(ok(cc('max-age=0')))).toBe('no-freshness');
    expect(verdictOf(ok(cc('max-age=0, stale-while-revalidate=30')))).toBe(0);
    expect(verdictOf(ok(cc('max-age=0, stale-if-error=30')))).toBe(0);
  });
});
