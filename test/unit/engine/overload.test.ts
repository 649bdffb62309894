import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Overload, type OverloadOptions, type Pressure } from '../../../src/engine/overload.ts';
import type { Importance } from '../../../src/upstream/limit/importance.ts';
import { seededRandom } from '../upstream/endpoints.ts';

const OPTIONS: OverloadOptions = { eventLoopDelayMs: 500, memory: 0.9 };
const TICK_MS = 100;

/** An overload that is told the same again and again. */
class Told {
  readonly overload: Overload;
  readonly changes: boolean[] = [];
  nowMs = 0;

  constructor(options: OverloadOptions = OPTIONS) {
    this.overload = new Overload(options, seededRandom(1));
  }

  tell(pressure: Partial<Pressure>, times = 5): void {
    for (let i = 0; i < times; i += 1) {
      this.nowMs += TICK_MS;
      const changed = this.overload.observe({ eventLoopDelayMs: 0, memory: 0, ...pressure }, this.nowMs);
      if (changed) this.changes.push(this.overload.active);
    }
  }

  /** Share of so many requests that are refused. */
  refused(importance: Importance, of = 2_000): number {
    let refused = 0;
    for (let i = 0; i < of; i += 1) if (this.overload.refusal(importance) !== null) refused += 1;
    return refused / of;
  }

  all(): Record<Importance, number> {
    return { high: this.refused('high'), normal: this.refused('normal'), low: this.refused('low') };
  }
}

describe('a gateway under pressure', () => {
  test('refuses nothing before it is too much', () => {
    const told = new Told();
    told.tell({ eventLoopDelayMs: 499, memory: 0.89 }, 100);
    expect([told.overload.active, told.all()]).toEqual([false, { high: 0, normal: 0, low: 0 }]);
  });

  test('does not take single stalls for overload, however long and frequent they are', () => {
    const told = new Told();
    for (let i = 0; i < 50; i += 1) {
      told.tell({ eventLoopDelayMs: 60_000 }, 2);
      told.tell({ eventLoopDelayMs: 0 }, 3);
    }
    expect(told.changes).toEqual([]);
  });

  for (const [name, pressure, expected] of [
    ['a delay of a little more than the most', { eventLoopDelayMs: 501 }, { high: 0, normal: 0, low: 1 }],
    ['a delay of one and a half times the most', { eventLoopDelayMs: 750 }, { high: 0, normal: 0.167, low: 1 }],
    ['a delay of two and a half times the most', { eventLoopDelayMs: 1_250 }, { high: 0, normal: 0.5, low: 1 }],
    ['a delay of three times the most', { eventLoopDelayMs: 1_500 }, { high: 0.333, normal: 0.667, low: 1 }],
    ['a delay of four times the most', { eventLoopDelayMs: 2_000 }, { high: 1, normal: 1, low: 1 }],
    ['half of the memory that was left', { memory: 0.95 }, { high: 0, normal: 0.5, low: 1 }],
    ['all of the memory', { memory: 1 }, { high: 1, normal: 1, low: 1 }],
    ['more memory than there should be', { memory: 1.4 }, { high: 1, normal: 1, low: 1 }],
  ] as const) {
    test(`${name}: refuses ${JSON.stringify(expected)}`, () => {
      const told = new Told();
      told.tell(pressure);
      const shares = told.all();
      for (const importance of ['high', 'normal', 'low'] as const) {
        expect(Math.abs(shares[importance] - expected[importance])).toBeLessThan(0.03);
      }
    });
  }

  test('goes on refusing what matters least until the pressure was well below for a second', () => {
    const told = new Told();
    told.tell({ eventLoopDelayMs: 600 });
    told.tell({ eventLoopDelayMs: 450 }, 50);
    expect(told.all()).toEqual({ high: 0, normal: 0, low: 1 });
    told.tell({ eventLoopDelayMs: 300 }, 20);
    expect([told.overload.active, told.changes]).toEqual([false, [true, false]]);
  });

  test('tells to come again after as long as it has lasted, half a minute at most', () => {
    const told = new Told();
    told.tell({ eventLoopDelayMs: 9_999 });
    expect(told.overload.refusal('low')?.retryAfterSeconds).toBe(1);
    told.tell({ eventLoopDelayMs: 9_999 }, 45);
    expect(told.overload.refusal('low')?.retryAfterSeconds).toBe(5);
    told.tell({ eventLoopDelayMs: 9_999 }, 1_000);
    expect(told.overload.refusal('low')).toMatchObject({ status: 503, reason: 'overloaded', retryAfterSeconds: 30 });
  });

  test('guards against one of the two alone where the other is switched off', () => {
    const delayOnly = new Told({ eventLoopDelayMs: 500, memory: 0 });
    delayOnly.tell({ memory: 5 }, 50);
    const memoryOnly = new Told({ eventLoopDelayMs: 0, memory: 0.9 });
    memoryOnly.tell({ eventLoopDelayMs: 99_999 }, 50);
    expect([delayOnly.changes, memoryOnly.changes]).toEqual([[], []]);
  });

  test('never refuses more of what matters more', () => {
    const pressure = fc.record({
      eventLoopDelayMs: fc.integer({ min: 0, max: 4_000 }),
      memory: fc.double({ min: 0, max: 1.2, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(pressure, { maxLength: 30 }), (history) => {
        const told = new Told();
        for (const step of history) told.tell(step, 1);
        const { severity } = told.overload.status();
        expect(severity >= 0 && severity <= 1).toBe(true);
        const { high, normal, low } = {
          high: told.refused('high', 300),
          normal: told.refused('normal', 300),
          low: told.refused('low', 1),
        };
        expect(high).toBeLessThanOrEqual(normal + 0.12);
        expect(normal).toBeLessThanOrEqual(low);
      }),
      { seed: 4 },
    );
  });
});
