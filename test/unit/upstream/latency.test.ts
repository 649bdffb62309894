import { expect, test } from 'vitest';
import { PeakLatency } from '../../../src/upstream/latency.ts';

test('nothing is known before the first answer', () => {
  const latency = new PeakLatency();
  expect([latency.isUnknown, latency.at(5_000)]).toEqual([true, 0]);
});

test('a slower answer counts at once and in full', () => {
  const latency = new PeakLatency();
  latency.observe(10, 0);
  latency.observe(200, 1);
  expect(latency.at(1)).toBe(200);
});

test('faster answers bring the estimate down with time, not with their number', () => {
  const latency = new PeakLatency();
  latency.observe(1_000, 0);
  for (let i = 0; i < 100; i += 1) latency.observe(10, 0);
  expect(latency.at(0)).toBe(1_000);
  latency.observe(10, 10_000);
  expect(latency.at(10_000)).toBeCloseTo(1_000 / Math.E + 10 * (1 - 1 / Math.E), 6);
});

test('silence brings it down too, so that an endpoint that was slow is asked again', () => {
  const latency = new PeakLatency();
  latency.observe(1_000, 0);
  expect(latency.at(20_000)).toBeCloseTo(1_000 / Math.E ** 2, 6);
  expect(latency.isUnknown).toBe(false);
});

test('a failure never brings it down, however fast it was', () => {
  const latency = new PeakLatency();
  latency.observe(50, 0);
  latency.observeFailure(1, 0);
  expect(latency.at(0)).toBe(50);
  latency.observeFailure(1_000, 0);
  expect(latency.at(0)).toBe(1_000);
});
