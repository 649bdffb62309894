import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { BucketTable } from '../../../../src/policy/rate-limit/bucket-table.ts';

describe('a bounded table of buckets', () => {
  test('knows what was set, and takes every other bucket for full', () => {
    const table = new BucketTable(10);
    table.set('a', 50, 0);
    table.set('b', 70, 0);
    table.set('a', 60, 0);
    expect([table.fullAt('a'), table.fullAt('b'), table.fullAt('c')]).toEqual([60, 70, 0]);
    expect(table.size).toBe(2);
  });

  test('a bucket that is full takes no place', () => {
    const table = new BucketTable(10);
    table.set('a', 50, 50);
    expect(table.size).toBe(0);
  });

  test('never holds more keys than it may, and tells what had to go', () => {
    const table = new BucketTable(100);
    for (let i = 0; i < 10_000; i += 1) table.set(`key ${i}`, 1_000_000 + i, i);
    expect(table.size).toBe(100);
    expect(table.evicted).toBe(9_900);
  });

  test('full buckets go before others, without a timer', () => {
    const table = new BucketTable(100);
    for (let i = 0; i < 100; i += 1) table.set(`old ${i}`, 10, 0);
    for (let i = 0; i < 100; i += 1) table.set(`new ${i}`, 1_000, 20);
    expect(table.evicted).toBe(0);
    expect(Array.from({ length: 100 }, (_, i) => table.fullAt(`new ${i}`))).toEqual(new Array(100).fill(1_000));
  });

  test('a flood of new keys does not wash away what somebody owes who has used up his burst', () => {
    const table = new BucketTable(1_000);
    // Ten units of 100 ticks; each new key owes one.
    table.set('attacker', 1_000, 0);
    for (let i = 0; i < 50_000; i += 1) table.set(`flood ${i}`, 100 + (i % 50), i % 50);
    expect(table.fullAt('attacker')).toBe(1_000);
  });

  test('takes over other bounds and ticks of another length', () => {
    const table = new BucketTable(100);
    for (let i = 0; i < 100; i += 1) table.set(`key ${i}`, 1_000, 0);
    table.set('key 1', 2_000, 0);
    table.adopt(10);
    table.rescale(1.5, 2_500);
    expect(table.size).toBe(10);
    expect([table.fullAt('key 0'), table.fullAt('key 1')]).toEqual([1_500, 2_500]);
  });

  test('gives back what was taken, also when the key is gone', () => {
    const table = new BucketTable(10);
    table.set('a', 50, 0);
    table.giveBack('a', 20);
    table.giveBack('gone', 20);
    expect([table.fullAt('a'), table.fullAt('gone'), table.size]).toEqual([30, 0, 1]);
  });

  test('keeps keys of any text apart, and none of the text that they were cut from', () => {
    const table = new BucketTable(10);
    const texts = ['', 'ä', '€', '\ud800', '\u0000', 'a'];
    for (const [index, text] of texts.entries()) table.set(text, index + 1, 0);
    expect(texts.map((text) => table.fullAt(text))).toEqual([1, 2, 3, 4, 5, 6]);
  });

  test('is a map that forgets nothing but full buckets while there is room (property)', () => {
    const step = fc.record({
      key: fc.integer({ min: 0, max: 40 }),
      owes: fc.nat({ max: 30 }),
      passes: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const table = new BucketTable(64);
        const model = new Map<string, number>();
        let now = 1;
        for (const { key, owes, passes } of steps) {
          now += passes;
          table.set(String(key), now + owes, now);
          model.set(String(key), now + owes);
          for (const [name, fullAt] of model) expect(Math.max(now, table.fullAt(name))).toBe(Math.max(now, fullAt));
        }
      }),
      { seed: 7, numRuns: 100 },
    );
  });
});
