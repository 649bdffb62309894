import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  admits,
  type Gcra,
  gcraOf,
  nextUnitMs,
  owedAt,
  remainingUnits,
  ticksAt,
  waitMs,
} from '../../../../src/policy/rate-limit/gcra.ts';

/** One key, by virtual scheduling. */
class Key {
  readonly gcra: Gcra;
  #fullAt = 0;

  constructor(gcra: Gcra) {
    this.gcra = gcra;
  }

  owed(ms: number): number {
    return owedAt(this.gcra, this.#fullAt, ticksAt(this.gcra, ms));
  }

  ask(ms: number, cost = 1): boolean {
    const owed = this.owed(ms);
    if (!admits(this.gcra, owed, cost)) return false;
    this.#fullAt = ticksAt(this.gcra, ms) + owed + cost * this.gcra.unitTicks;
    return true;
  }
}

/** The same as a bucket that drips, in whole numbers: `unitTicks` drops are one token. */
class NaiveBucket {
  readonly #gcra: Gcra;
  #drops: bigint;
  #at = 0n;

  constructor(gcra: Gcra) {
    this.#gcra = gcra;
    this.#drops = BigInt(gcra.burst) * BigInt(gcra.unitTicks);
  }

  ask(ms: number, cost: number): boolean {
    const at = BigInt(ticksAt(this.#gcra, ms));
    const size = BigInt(this.#gcra.burst) * BigInt(this.#gcra.unitTicks);
    this.#drops += at - this.#at;
    if (this.#drops > size) this.#drops = size;
    this.#at = at;
    const wanted = BigInt(cost) * BigInt(this.#gcra.unitTicks);
    if (wanted > this.#drops) return false;
    this.#drops -= wanted;
    return true;
  }
}

function admitted(key: Key, times: number, ms: number): number {
  return Array.from({ length: times }, () => key.ask(ms)).filter(Boolean).length;
}

const rates = fc.record({
  count: fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 1_000_000 })),
  periodMs: fc.constantFrom(1_000, 7_000, 60_000, 3_600_000, 86_400_000),
});

describe('the generic cell rate algorithm', () => {
  test.each([
    [3, 1_000],
    [7, 1_000],
    [100, 1_000],
    [1_000_000, 1_000],
    [5, 60_000],
    [1_000, 3_600_000],
    [1, 86_400_000],
  ])('%i in %i ms admit exactly that many at once, and after that time as many again', (count, periodMs) => {
    const key = new Key(gcraOf({ rate: { count, periodMs }, burst: count }));
    const start = 123_456_789.25;
    expect(admitted(key, count, start)).toBe(count);
    expect(key.ask(start)).toBe(false);
    const again = start + periodMs + 0.001;
    const some = Math.min(count, 1_000);
    expect(admitted(key, some, again)).toBe(some);
    if (some === count) expect(key.ask(again)).toBe(false);
  });

  test('who rests has his burst again and no more', () => {
    const key = new Key(gcraOf({ rate: { count: 10, periodMs: 1_000 }, burst: 3 }));
    expect(admitted(key, 5, 0)).toBe(3);
    expect(admitted(key, 5, 100)).toBe(1);
    expect(admitted(key, 5, 1_000_000)).toBe(3);
  });

  test('says how long to wait, how much is left and when there is more', () => {
    const gcra = gcraOf({ rate: { count: 10, periodMs: 1_000 }, burst: 3 });
    const key = new Key(gcra);
    expect(nextUnitMs(gcra, key.owed(0))).toBe(0);
    expect(remainingUnits(gcra, key.owed(0))).toBe(3);
    key.ask(0, 2);
    expect(remainingUnits(gcra, key.owed(0))).toBe(1);
    expect(waitMs(gcra, key.owed(0), 1)).toBe(0);
    expect(waitMs(gcra, key.owed(0), 3)).toBe(200);
    expect(nextUnitMs(gcra, key.owed(0))).toBe(100);
    expect(nextUnitMs(gcra, key.owed(60))).toBe(40);
  });

  test('a time from another clock or another limit locks nobody out for longer than a whole refill', () => {
    const gcra = gcraOf({ rate: { count: 10, periodMs: 1_000 }, burst: 3 });
    expect(waitMs(gcra, owedAt(gcra, 1e15, 0), 1)).toBe(100);
  });

  test('does what a bucket does that drips, whatever comes whenever (property)', () => {
    const steps = fc.array(
      fc.record({
        afterMs: fc.oneof(
          fc.constant(0),
          fc.double({ min: 0, max: 10, noNaN: true }),
          fc.integer({ min: 0, max: 90_000_000 }),
        ),
        cost: fc.integer({ min: 1, max: 5 }),
      }),
      { minLength: 1, maxLength: 60 },
    );
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 30 }), steps, (rate, burst, requests) => {
        const gcra = gcraOf({ rate, burst });
        const key = new Key(gcra);
        const bucket = new NaiveBucket(gcra);
        let ms = 0;
        for (const { afterMs, cost } of requests) {
          ms += afterMs;
          expect(key.ask(ms, cost)).toBe(bucket.ask(ms, cost));
        }
      }),
      { seed: 7, numRuns: 300 },
    );
  });

  test('who waits as long as he is told is admitted, and not a tick earlier (property)', () => {
    fc.assert(
      fc.property(rates, fc.integer({ min: 1, max: 5 }), fc.nat({ max: 1_000_000 }), (rate, burst, start) => {
        const gcra = gcraOf({ rate, burst });
        const key = new Key(gcra);
        while (key.ask(start));
        const now = ticksAt(gcra, start);
        const wait = Math.round(waitMs(gcra, key.owed(start), 1) * gcra.ticksPerMs);
        const full = now + key.owed(start);
        expect(admits(gcra, owedAt(gcra, full, now + wait), 1)).toBe(true);
        expect(admits(gcra, owedAt(gcra, full, now + wait - 1), 1)).toBe(false);
      }),
      { seed: 7, numRuns: 200 },
    );
  });
});
