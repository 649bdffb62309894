import { describe, expect, test } from 'vitest';
import type { CacheEntry } from '../../../src/cache/entry.ts';
import type { CacheRequest } from '../../../src/cache/key.ts';
import { findStale, findStaleIfError } from '../../../src/cache/stale.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { entryOf, get, HOUR, ok, policy, SECOND, smallStore, T0 } from './origin.ts';

const MINUTE: HeaderList = ['Cache-Control', 'max-age=60', 'ETag', '"v1"'];
const asking = (directives: string): CacheRequest => get(['Cache-Control', directives]);

/** Freshness left in seconds of what is found `afterMs` after `entry` was stored, or `null`. */
function ttl(entry: CacheEntry, request = get(), afterMs = HOUR, maxAgeMs = 24 * HOUR): number | null {
  const store = smallStore();
  store.set(entry);
  const found = findStale(store, request, policy, { nowMs: T0 + afterMs, maxAgeMs });
  return found === null ? null : found.ttlMs / SECOND;
}

describe('a stored response that must do while its origin can’t be asked (RFC 9111 §4.2.4)', () => {
  test('is used however stale it is, up to the age that is allowed', () => {
    expect(ttl(entryOf(ok(MINUTE)))).toBe(-3_540);
    expect(ttl(entryOf(ok(MINUTE)), get(), HOUR, HOUR)).toBe(-3_540);
    expect(ttl(entryOf(ok(MINUTE)), get(), HOUR + 1, HOUR)).toBeNull();
    expect(ttl(entryOf(ok(MINUTE)), get(), 1_000 * HOUR, Number.POSITIVE_INFINITY)).toBeLessThan(0);
  });

  test('answers HEAD too, and requests that have it already', () => {
    expect(ttl(entryOf(ok(MINUTE)), get([], { method: 'HEAD' }))).toBe(-3_540);
    expect(ttl(entryOf(ok(MINUTE)), get(['If-None-Match', '"v1"']))).toBe(-3_540);
  });

  test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'])(
    'is not used when its origin said %s',
    (directive) => {
      expect(ttl(entryOf(ok([...MINUTE, 'Cache-Control', directive])))).toBeNull();
    },
  );

  test('is used while it is fresh even so, but for no-cache', () => {
    expect(ttl(entryOf(ok([...MINUTE, 'Cache-Control', 'must-revalidate'])), get(), 0)).toBe(60);
    expect(ttl(entryOf(ok([...MINUTE, 'Cache-Control', 'no-cache'])), get(), 0)).toBeNull();
  });

  test.each<[string, CacheRequest]>([
    ['no-cache', asking('no-cache')],
    ['no-store', asking('no-store')],
    ['a precondition', get(['If-Match', '"v1"'])],
    ['If-Match', get(['If-Match', '"v1"'])],
    ['POST', get([], { method: 'POST' })],
    ['another partition', get([], { partition: 'beta' })],
  ])('is not used for a request with %s', (_name, request) => {
    expect(ttl(entryOf(ok(MINUTE)), request)).toBeNull();
  });

  test('is used for a reload, which only wishes for something newer', () => {
    expect(ttl(entryOf(ok(MINUTE)), asking('max-age=0'))).toBe(-3_540);
  });
});

const HOUR_LONG: HeaderList = [...MINUTE, 'Cache-Control', 'stale-if-error=3600'];

/** The same for a response whose endpoint fails. */
function ttlOnError(entry: CacheEntry, request = get(), afterMs = HOUR): number | null {
  const store = smallStore();
  store.set(entry);
  const found = findStaleIfError(store, request, policy, T0 + afterMs);
  return found === null ? null : found.ttlMs / SECOND;
}

describe('a stored response that may be used because its endpoint fails (RFC 5861 §4)', () => {
  test('is used until its time is over', () => {
    expect(ttlOnError(entryOf(ok(HOUR_LONG)))).toBe(-3_540);
    expect(ttlOnError(entryOf(ok(HOUR_LONG)), get(), HOUR + 60 * SECOND)).toBe(-3_600);
    expect(ttlOnError(entryOf(ok(HOUR_LONG)), get(), HOUR + 60 * SECOND + 1)).toBeNull();
  });

  test('is not used when neither it nor the route nor the client allows it', () => {
    expect(ttlOnError(entryOf(ok(MINUTE)))).toBeNull();
    expect(ttlOnError(entryOf(ok(MINUTE)), get(), 0)).toBeNull();
  });

  test('is used for as long as the route says, where it says nothing itself', () => {
    const lenient = { ...policy, staleIfErrorMs: HOUR };
    expect(ttlOnError(entryOf(ok(MINUTE), { policy: lenient }))).toBe(-3_540);
    const refusing = ok([...MINUTE, 'Cache-Control', 'stale-if-error=0']);
    expect(ttlOnError(entryOf(refusing, { policy: lenient }))).toBeNull();
  });

  test('is used for as long as the client says, if it does', () => {
    expect(ttlOnError(entryOf(ok(MINUTE)), asking('stale-if-error=3540'))).toBe(-3_540);
    expect(ttlOnError(entryOf(ok(MINUTE)), asking('stale-if-error=3539'))).toBeNull();
    expect(ttlOnError(entryOf(ok(HOUR_LONG)), asking('stale-if-error=0'))).toBeNull();
  });

  test.each(['must-revalidate', 'proxy-revalidate', 's-maxage=60', 'no-cache'])(
    'is not used when its origin said %s (RFC 9111 §4.2.4), whatever it allows besides and the client says',
    (directive) => {
      const entry = entryOf(ok([...HOUR_LONG, 'Cache-Control', directive]));
      expect(ttlOnError(entry)).toBeNull();
      expect(ttlOnError(entry, asking('stale-if-error=86400'))).toBeNull();
    },
  );

  test.each<[string, number | null]>([
    ['max-age=0', -3_540],
    ['min-fresh=10', -3_540],
    ['max-stale=1', -3_540],
    ['no-cache', null],
    ['no-store', null],
  ])('for a client that says %s', (directives, expected) => {
    expect(ttlOnError(entryOf(ok(HOUR_LONG)), asking(directives))).toBe(expected);
  });
});
