import fc from 'fast-check';
import { expect, test } from 'vitest';
import { HeadLatency } from '../../../src/upstream/hedge-latency.ts';

function filled(latencies: readonly number[]): HeadLatency {
  const latency = new HeadLatency();
  for (const ms of latencies) latency.record(ms);
  return latency;
}

test('tells nothing before a hundred are known', () => {
  expect(filled(Array(99).fill(10)).quantile(0.95)).toBeNull();
  expect(filled(Array(100).fill(10)).quantile(0.95)).not.toBeNull();
});

test('a quantile is at most 10 % too high, and never too low', () => {
  const some = fc.array(fc.double({ min: 0.2, max: 60_000, noNaN: true }), { minLength: 100, maxLength: 900 });
  fc.assert(
    fc.property(some, fc.constantFrom(0.5, 0.9, 0.95, 0.99), (latencies, share) => {
      const sorted = [...latencies].sort((a, b) => a - b);
      const exact = sorted[Math.ceil(share * sorted.length) - 1] as number;
      const told = filled(latencies).quantile(share) as number;
      expect(told).toBeGreaterThanOrEqual(exact * 0.9999);
      expect(told).toBeLessThanOrEqual(exact * 1.1);
    }),
    { seed: 4, numRuns: 200 },
  );
});

test('what was long ago fades: a pool that got slow is slow after some thousand requests', () => {
  const latency = filled(Array(20_000).fill(5));
  for (let i = 0; i < 4_000; i += 1) latency.record(80);
  expect(latency.quantile(0.5)).toBeGreaterThan(75);
});

test('times beyond its scale count at its ends', () => {
  const latency = filled([...Array(100).fill(0), ...Array(100).fill(Number.NaN), ...Array(10).fill(1e9)]);
  expect(latency.quantile(0.5)).toBeLessThan(0.2);
  expect(latency.quantile(0.99)).toBeGreaterThan(100_000);
});
