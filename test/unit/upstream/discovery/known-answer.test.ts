import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type AnswerRules, type Asked, KnownAnswer } from '../../../../src/upstream/discovery/known-answer.ts';

const RULES: AnswerRules = { minMs: 1_000, maxMs: 30_000, staleMs: null, goneMs: 30_000 };

function answer(rules: Partial<AnswerRules> = {}): KnownAnswer<string> {
  return new KnownAnswer({ ...RULES, ...rules }, (item) => item);
}

function found(items: readonly string[], ttlMs: number | null = 5_000): Asked<string> {
  return { kind: 'found', items, ttlMs };
}

const failed: Asked<string> = { kind: 'failed', reason: 'dns-timeout' };
const none: Asked<string> = { kind: 'none', reason: 'no-such-name' };

describe('a known answer', () => {
  test('changes only when its items do, not with their order or number', () => {
    const known = answer();
    expect(known.take(found(['b', 'a']), 0)).toBe(true);
    expect(known.items).toEqual(['a', 'b']);
    expect(known.take(found(['a', 'b', 'a']), 1)).toBe(false);
    expect(known.take(found(['a']), 2)).toBe(true);
    expect(known.take(found([]), 3)).toBe(true);
    expect(known.take(found([]), 4)).toBe(false);
  });

  test('says what is the matter until it is good again', () => {
    const known = answer();
    expect([known.asked, known.trouble, known.goodAtMs]).toEqual([false, null, null]);
    known.take(failed, 5);
    expect([known.asked, known.trouble, known.goodAtMs]).toEqual([true, failed, null]);
    known.take(found(['a']), 7);
    expect([known.trouble, known.goodAtMs]).toEqual([null, 7]);
  });

  test('is not asked for all the time, whatever bounds and TTL say', () => {
    for (const rules of [{ minMs: 0 }, { maxMs: 0 }]) {
      const known = answer(rules);
      known.take(found(['a'], 0), 0);
      expect(known.delayMs(0, 0)).toBe(100);
    }
  });

  test.each([
    ['its TTL', 5_000, 0, 5_000],
    ['up to a tenth more', 5_000, 0.999, 5_499.5],
    ['at least the least', 0, 0, 1_000],
    ['at most the most', 3_600_000, 0, 30_000],
    ['the usual time without a TTL', null, 0, 30_000],
  ])('is used for %s', (_, ttlMs, random, expected) => {
    const known = answer();
    known.take(found(['a'], ttlMs), 0);
    expect(known.delayMs(0, random)).toBeCloseTo(expected, 3);
  });

  test('is asked for again after a second, then less and less often, every 30 s at last', () => {
    const known = answer();
    const delays = Array.from({ length: 8 }, () => {
      known.take(failed, 0);
      return known.delayMs(0, 1);
    });
    expect(delays).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000, 30_000]);
    known.take(found(['a']), 0);
    known.take(failed, 0);
    expect(known.delayMs(0, 0)).toBe(500);
  });

  test('that there is nothing is believed when it has been said for so long', () => {
    const known = answer({ goneMs: 10_000 });
    known.take(found(['a']), 0);
    expect(known.take(none, 1_000)).toBe(false);
    expect(known.take(failed, 5_000)).toBe(false);
    expect(known.take(none, 10_999)).toBe(false);
    expect(known.delayMs(10_999, 1)).toBe(1);
    expect(known.take(none, 11_000)).toBe(true);
    expect(known.items).toEqual([]);
    known.take(found(['a']), 12_000);
    expect(known.take(none, 20_000)).toBe(false);
  });
});

const steps = fc.array(
  fc.record({
    afterMs: fc.nat({ max: 20_000 }),
    asked: fc.oneof(
      fc.record({
        kind: fc.constant('found' as const),
        items: fc.array(fc.constantFrom('a', 'b', 'c')),
        ttlMs: fc.nat(),
      }),
      fc.constant(failed),
      fc.constant(none),
    ),
  }),
  { maxLength: 40 },
);

test('items are those of the last good answer, for as long as the bounds allow and no longer', () => {
  fc.assert(
    fc.property(steps, fc.option(fc.nat({ max: 40_000 })), fc.nat({ max: 40_000 }), (taken, staleMs, goneMs) => {
      const known = answer({ staleMs, goneMs });
      let now = 0;
      let good: { readonly at: number; readonly items: readonly string[] } | null = null;
      let noneSince: number | null = null;
      for (const { afterMs, asked } of taken) {
        now += afterMs;
        known.take(asked, now);
        if (asked.kind === 'found') {
          good = { at: now, items: [...new Set(asked.items)].sort() };
          noneSince = null;
          expect(known.items).toEqual(good.items);
          continue;
        }
        if (asked.kind === 'none') noneSince ??= now;
        const isStale = good !== null && staleMs !== null && now - good.at >= staleMs;
        const isGone = noneSince !== null && now - noneSince >= goneMs;
        if (isStale || isGone) good = good === null ? null : { ...good, items: [] };
        expect(known.items).toEqual(good?.items ?? []);
        const delay = known.delayMs(now, 0.5);
        expect(delay).toBeGreaterThan(0);
        expect(delay).toBeLessThanOrEqual(30_000);
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});
