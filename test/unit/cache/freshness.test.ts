import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { currentAge, currentAgeMs, initialAgeMs, originDateMs, remainingMs } from '../../../src/cache/freshness.ts';
import { formatHttpDate } from '../../../src/http/date.ts';
import type { HeaderList } from '../../../src/http/headers.ts';
import { entryOf, HOUR, ok, SECOND, T0 } from './origin.ts';

function initialAge(headers: HeaderList, times: { requested?: number; received?: number } = {}): number {
  const receivedAtMs = times.received ?? T0;
  return initialAgeMs(headers, originDateMs(headers, receivedAtMs), {
    requestedAtMs: times.requested ?? receivedAtMs,
    receivedAtMs,
  });
}

describe('age of a stored response (RFC 9111 §4.2.3)', () => {
  test.each<[string, HeaderList, number]>([
    ['neither Date nor Age', [], 0],
    ['§5.1 Age', ['Age', '7'], 7 * SECOND],
    ['§5.1 the first member of a list', ['Age', '7, 9'], 7 * SECOND],
    ['§5.1 the first of two lines', ['Age', '7', 'Age', '9'], 7 * SECOND],
    ['§5.1 a negative Age is ignored', ['Age', '-7'], 0],
    ['§5.1 a fraction is ignored', ['Age', '7.5'], 0],
    ['§5.1 text is ignored', ['Age', 'old'], 0],
    ['§5.1 an invalid first member hides the rest', ['Age', 'x, 9'], 0],
    ['§1.2.2 more than 2^31 counts as 2^31', ['Age', '99999999999999999999'], 2 ** 31 * SECOND],
    ['§4.2.3 apparent age from Date', ['Date', formatHttpDate(T0 - 30 * SECOND)], 30 * SECOND],
    ['§4.2.3 the larger of both', ['Date', formatHttpDate(T0 - 30 * SECOND), 'Age', '40'], 40 * SECOND],
    ['§4.2.3 a Date in the future', ['Date', formatHttpDate(T0 + HOUR)], 0],
    ['RFC 9110 §6.6.1 a Date that is none', ['Date', 'today'], 0],
  ])('%s', (_name, headers, expected) => {
    expect(initialAge(headers)).toBe(expected);
  });

  test('§4.2.3 the round trip counts as age', () => {
    expect(initialAge(['Age', '7'], { requested: T0 - 1500 })).toBe(8500);
  });

  test('Date has no fractions of a second, so none are taken from it', () => {
    expect(initialAge(['Date', formatHttpDate(T0)], { received: T0 + 999 })).toBe(0);
  });

  test('§4.2.3 resident time is added', () => {
    const entry = entryOf(ok(['Cache-Control', 'max-age=60', 'Age', '10']));
    expect(currentAge(entry, T0 + 5500)).toBe(15);
  });

  test('§4.2 fresh until its age reaches its lifetime', () => {
    const entry = entryOf(ok(['Cache-Control', 'max-age=60', 'Age', '10']));
    expect(remainingMs(entry, T0 + 49_999)).toBeGreaterThan(0);
    expect(remainingMs(entry, T0 + 50_000)).toBeLessThanOrEqual(0);
  });

  test('age is never negative and never falls, whatever the clocks say (property)', () => {
    const stamp = fc.integer({ min: T0 - 2 * HOUR, max: T0 + 2 * HOUR });
    fc.assert(
      fc.property(
        stamp,
        stamp,
        stamp,
        stamp,
        fc.oneof(fc.string(), fc.integer().map(String)),
        (date, sent, got, now, age) => {
          const headers = ['Date', formatHttpDate(date), 'Age', age];
          const initial = initialAgeMs(headers, originDateMs(headers, got), { requestedAtMs: sent, receivedAtMs: got });
          const entry = { ...entryOf(ok(['Cache-Control', 'max-age=60'])), initialAgeMs: initial, receivedAtMs: got };
          expect(initial).toBeGreaterThanOrEqual(0);
          expect(currentAgeMs(entry, now)).toBeGreaterThanOrEqual(initial);
          expect(currentAge(entry, now + SECOND)).toBeGreaterThanOrEqual(currentAge(entry, now));
          expect(Number.isInteger(currentAge(entry, now))).toBe(true);
        },
      ),
    );
  });
});
