import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IdleLimit, marginOf, restOf } from '../../../src/transport/idle-limit.ts';

const UNKNOWN = Number.POSITIVE_INFINITY;

function learned(...closes: readonly number[]): number {
  const limit = new IdleLimit();
  for (const idleMs of closes) limit.closed(idleMs);
  return limit.seenMs;
}

describe('what an endpoint was seen to do with idle connections', () => {
  test.each([
    ['nothing', [], UNKNOWN],
    ['a close after 5 s', [5000], 5000],
    ['closes after about 5 s', [5010, 5003, 5050], 5003],
    ['a close after 3 s, sooner than known', [5000, 3000], 3000],
    ['closes at once, which are no time-outs', [0, 12, 99], UNKNOWN],
    ['a restart, and one connection that lives longer', [500, 5000], 500],
    ['a restart, and two that live longer', [500, 5020, 5000], 5000],
    ['a restart, and two that are never closed', [500, UNKNOWN, UNKNOWN], UNKNOWN],
    ['longer lives that are not in a row', [500, 5000, 520, 5000, 510], 500],
    ['a restart while a longer life is watched', [500, 900, 5000, 5000, 5000], 5000],
  ])('%s', (_what, closes, seenMs) => {
    expect(learned(...closes)).toBe(seenMs);
  });

  test('after two lives of the true length nothing of a restart is left, whatever was seen before', () => {
    const anything = fc.array(fc.oneof(fc.integer({ min: 0, max: 5000 }), fc.constant(UNKNOWN)));
    const property = fc.property(anything, (closes) => {
      expect(learned(...closes, 5000, 5000, 5000)).toBeGreaterThan(Math.min(...closes.slice(-2), 4500) / 1.2 - 100);
      expect(learned(...closes, 5000, 5000, 5000, 5000)).toBeGreaterThanOrEqual(4445);
    });
    fc.assert(property, { seed: 20_270_101, numRuns: 2000 });
  });
});

describe('the rest of a connection', () => {
  test('ends before the endpoint closes it, by a quarter, but 300 ms at least and 2 s at most', () => {
    expect([500, 1000, 5000, 75_000].map((ms) => marginOf(ms, 0, 0))).toEqual([300, 300, 1250, 2000]);
    expect(marginOf(5000, 40, 0)).toBe(1290);
    expect(marginOf(5000, 0, 0.999)).toBeLessThan(1250 * 1.25);
  });

  test('is none where the endpoint says that there is none, and never less than a moment where it was only seen so', () => {
    expect(restOf(0, UNKNOWN, 300)).toBe(0);
    expect(restOf(UNKNOWN, 200, 300)).toBe(100);
    expect(restOf(5000, 3000, 1000)).toBe(2000);
    expect(restOf(UNKNOWN, UNKNOWN, 0)).toBe(UNKNOWN);
  });
});
