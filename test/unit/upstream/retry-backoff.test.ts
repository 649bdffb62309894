import { expect, test } from 'vitest';
import { backoffMs } from '../../../src/upstream/retry-backoff.ts';

const usual = { baseMs: 25, maxMs: 250, retryAfterMs: 5_000 };
const most = (): number => 1;

test('pauses double up to their maximum', () => {
  expect([1, 2, 3, 4, 5, 6, 60].map((retry) => backoffMs(usual, retry, most))).toEqual([
    25, 50, 100, 200, 250, 250, 250,
  ]);
});

test('a pause is any part of that, by chance', () => {
  expect([0, 0.5, 0.25].map((chance) => backoffMs(usual, 2, () => chance))).toEqual([0, 25, 12.5]);
});

test('without a base there is no pause', () => {
  expect(backoffMs({ ...usual, baseMs: 0 }, 5, most)).toBe(0);
});
