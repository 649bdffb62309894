import { describe, expect, test } from 'vitest';
import type { CachePolicy } from '../../../src/cache/policy.ts';
import { storability } from '../../../src/cache/storability.ts';
import { type TtlRule, ttlOf } from '../../../src/cache/ttl.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { get, HOUR, ok, policy, SECOND, T0, ttl } from './origin.ts';

const rule: TtlRule = {
  found: null,
  statuses: new Map([
    [200, 60],
    [404, 10],
    [403, 5],
    [599, 0],
  ]),
  classes: [null, null, 40, null, 20, 1],
  any: 7,
};

describe('lifetimes by status', () => {
  test.each<[number, number | null]>([
    [200, 60],
    [203, 40],
    [301, 7],
    [404, 10],
    [410, 20],
    [405, 20],
    [451, 20],
    [403, 5],
    [500, 1],
    [599, 0],
    // One client's request may have provoked these; they have to be named.
    [400, null],
    [401, null],
    [413, null],
    [431, null],
    [429, null],
  ])('%i: %s', (status, expected) => {
    expect(ttlOf(rule, status, true)).toBe(expected);
  });

  test('“any” is for 404 where its class has none', () => {
    expect(ttlOf({ ...rule, statuses: new Map(), classes: [] }, 404, false)).toBe(7);
    expect(ttlOf({ ...rule, statuses: new Map(), classes: [] }, 400, false)).toBeNull();
  });

  test('one duration is for what was found', () => {
    expect(ttlOf(ttl(60), 200, true)).toBe(60);
    expect(ttlOf(ttl(60), 302, false)).toBeNull();
  });
});

function fresh(status: number, headers: HeaderList, over: Partial<CachePolicy>): string | number {
  const verdict = storability(get(), ok(headers, T0, status), { ...policy, ...over }, T0);
  return verdict.store ? verdict.freshMs / SECOND : verdict.why;
}

const cc = (value: string): HeaderList => ['Cache-Control', value];
const byStatus: TtlRule = { found: null, statuses: new Map([[404, 10 * SECOND]]), classes: [], any: 60 * SECOND };

describe('what a default lifetime is for', () => {
  test.each<[string, number, HeaderList, string | number]>([
    ['a 404 that says nothing', 404, [], 10],
    ['a 302 that says nothing, by “any”', 302, [], 60],
    ['a 500 that says nothing, by “any”', 500, [], 60],
    ['what states a lifetime keeps it', 404, cc('max-age=3'), 3],
    ['an Expires that is past counts as stated', 404, ['Expires', '0'], 'no-freshness'],
    ['private', 404, cc('private'), 'private'],
    ['a 400 that one client provoked', 400, [], 'no-freshness'],
    ['a 304 and a 206 are not stored', 206, [], 'partial'],
  ])('%s', (_name, status, headers, expected) => {
    expect(fresh(status, headers, { defaultTtl: byStatus })).toBe(expected);
  });

  test('it begins when the response arrives, whatever the endpoint’s clock says', () => {
    const late = { status: 404, headers: ['Date', formatHttpDate(T0 - HOUR)] };
    const verdict = storability(get(), late, { ...policy, defaultTtl: byStatus }, T0);
    expect(verdict).toMatchObject({ store: true, freshMs: HOUR + 10 * SECOND });
  });
});

describe('what a lifetime that overrides is for', () => {
  const overrideTtl = ttl(60 * SECOND);

  test.each<[string, number, HeaderList, string | number]>([
    ['a shorter lifetime', 200, cc('max-age=3'), 60],
    ['a longer one', 200, cc('s-maxage=300'), 60],
    ['max-age=0', 200, cc('max-age=0'), 60],
    ['an Expires that is past', 200, ['Expires', '0'], 60],
    ['nothing stated', 200, [], 60],
    ['a status that it is not for', 404, cc('max-age=3'), 3],
    ['§5.2.2.7 private', 200, cc('private'), 'private'],
    ['§5.2.2.5 no-store', 200, cc('no-store'), 'no-store'],
    ['§5.2.2.4 no-cache asks for a validation each time', 200, cc('no-cache'), 'no-freshness'],
    ['a cookie', 200, ['Set-Cookie', 'a=b'], 'set-cookie'],
    ['§4.1 Vary: *', 200, ['Vary', '*'], 'vary-star'],
  ])('%s', (_name, status, headers, expected) => {
    expect(fresh(status, headers, { overrideTtl })).toBe(expected);
  });

  test('§3.5 not for requests with Authorization', () => {
    const verdict = storability(get(['Authorization', 'x']), ok([]), { ...policy, overrideTtl }, T0);
    expect(verdict).toEqual({ store: false, why: 'authorization' });
  });

  test.each<[string, HeaderList, Partial<Record<'noCache' | 'noStore' | 'private', boolean>>, string | number]>([
    ['no-cache', cc('no-cache'), { noCache: true }, 60],
    ['no-store', cc('no-store'), { noStore: true }, 60],
    ['private', cc('private, max-age=0, must-revalidate'), { private: true }, 60],
    ['one of two', cc('private, no-store'), { private: true }, 'no-store'],
    ['fields that are private are still left out', cc('private="x-user"'), { private: true }, 60],
  ])('unless the route ignores %s', (_name, headers, given, expected) => {
    const ignore = { noCache: false, noStore: false, private: false, ...given };
    expect(fresh(200, headers, { overrideTtl, ignore })).toBe(expected);
  });
});
