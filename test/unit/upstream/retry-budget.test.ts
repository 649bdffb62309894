import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { RetryAccount } from '../../../src/upstream/retry-account.ts';
import { RetryBudget } from '../../../src/upstream/retry-budget.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const usual = { share: 0.2, minimumPerSecond: 3, windowMs: 10_000 };

describe('a retry budget', () => {
  test('pays for the minimum before there was any traffic, and for no more', () => {
    const budget = new RetryBudget(usual);
    const paid = Array.from({ length: 40 }, () => budget.take(0)).filter((receipt) => receipt >= 0);
    expect(paid).toHaveLength(30);
    expect(budget.leftAt(0)).toBe(0);
  });

  test('pays for its share of the requests where that is more than the minimum', () => {
    const budget = new RetryBudget(usual);
    for (let i = 0; i < 1_000; i += 1) budget.request(i);
    expect(budget.leftAt(1_000)).toBe(200);
  });

  test('forgets what is older than its window', () => {
    const budget = new RetryBudget(usual);
    for (let i = 0; i < 1_000; i += 1) budget.request(0);
    for (let i = 0; i < 200; i += 1) budget.take(0);
    expect(budget.leftAt(9_999)).toBe(0);
    expect(budget.leftAt(10_000)).toBe(30);
    expect(budget.leftAt(1_000_000)).toBe(30);
  });

  test('takes back what turned out not to be needed, once and within the window', () => {
    const budget = new RetryBudget({ ...usual, minimumPerSecond: 0.1 });
    const receipt = budget.take(0);
    expect(budget.take(0)).toBe(-1);
    budget.refund(receipt, 5_000);
    expect(budget.take(5_000)).toBeGreaterThanOrEqual(0);
    expect(budget.take(5_000)).toBe(-1);
    budget.refund(receipt, 20_000);
    expect(budget.leftAt(20_000)).toBe(1);
    budget.refund(-1, 20_000);
    expect(budget.leftAt(20_000)).toBe(1);
  });

  test('with nothing allowed pays for nothing', () => {
    const budget = new RetryBudget({ share: 0, minimumPerSecond: 0, windowMs: 10_000 });
    for (let i = 0; i < 100; i += 1) budget.request(i);
    expect(budget.take(100)).toBe(-1);
  });

  test('keeps what it has counted when its share changes, and begins anew when its window does', () => {
    const budget = new RetryBudget(usual);
    for (let i = 0; i < 1_000; i += 1) budget.request(0);
    budget.adopt({ ...usual, share: 0.5 });
    expect(budget.leftAt(0)).toBe(500);
    budget.adopt({ ...usual, windowMs: 20_000 });
    expect(budget.leftAt(0)).toBe(60);
  });

  test.each([
    ['longer', 60_000],
    ['shorter', 1_000],
  ])('forgets what is older than its window, also when that has become %s', (_how, windowMs) => {
    const budget = new RetryBudget(usual);
    const uptimeMs = 3_600_000;
    budget.request(uptimeMs);
    const options = { ...usual, windowMs, minimumPerSecond: 0 };
    budget.adopt(options);
    for (let i = 0; i < 1_000; i += 1) budget.request(uptimeMs);
    expect(budget.leftAt(uptimeMs)).toBe(200);
    expect(budget.leftAt(uptimeMs + 2 * windowMs)).toBe(0);
  });

  test('never pays for more than the share of any window, whatever the traffic', () => {
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 3_000 }), requests: fc.integer({ min: 0, max: 50 }) });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const budget = new RetryBudget(usual);
        const requests: number[] = [];
        const retries: number[] = [];
        let now = 0;
        for (const { waitMs, requests: count } of steps) {
          now += waitMs;
          for (let i = 0; i < count; i += 1) {
            budget.request(now);
            requests.push(now);
            // Each of them fails, and is repeated as often as is allowed.
            while (budget.take(now) >= 0) retries.push(now);
          }
          // What was paid for before may be more than what would be paid for now.
          if (retries.at(-1) !== now) continue;
          // The buckets cover nine tenths of the window at least, and all of it at most.
          const within = (times: number[], ms: number) => times.filter((time) => time > now - ms).length;
          const allowed = Math.max(30, 0.2 * within(requests, 10_001));
          expect(within(retries, 9_000)).toBeLessThanOrEqual(allowed);
        }
      }),
      { seed: 4, numRuns: 300 },
    );
  });

  test('in steady state upstream sees 1.2 attempts for each request when all of them fail', () => {
    const budget = new RetryBudget(usual);
    let attempts = 0;
    // 100 a second for ten minutes, each of which would be tried three times.
    for (let request = 0; request < 60_000; request += 1) {
      const now = request * 10;
      budget.request(now);
      attempts += 1;
      for (let retry = 0; retry < 2; retry += 1) if (budget.take(now) >= 0) attempts += 1;
    }
    expect(attempts / 60_000).toBeLessThanOrEqual(1.2 + 30 / 60_000);
    expect(attempts / 60_000).toBeGreaterThan(1.15);
  });
});

test('the account of a pool tells once that its budget is spent, and once that it has sufficed for a window', () => {
  const told: boolean[] = [];
  const clock = new ManualClock();
  const options = { share: 0, minimumPerSecond: 0.1, windowMs: 10_000 };
  const account = new RetryAccount(options, { clock, changed: (spent) => told.push(spent) });
  const pay = (): boolean => account.pay(clock.monotonic()) >= 0;
  expect([pay(), pay(), pay()]).toEqual([true, false, false]);
  expect([told, account.refused, account.left]).toEqual([[true], 2, 0]);
  clock.advance(9_999);
  expect([pay(), told]).toEqual([false, [true]]);
  clock.advance(10_000);
  expect([pay(), told]).toEqual([true, [true, false]]);
});
