import { expect, test } from 'vitest';
import { renewalTime, retryDelay } from '../../../../src/control/certificates/acme/renewal.ts';

const DAY_MS = 86_400_000;

test('a certificate of 90 days is renewed when 30 are left, or within the two days after', () => {
  const validity = { notBeforeMs: 0, notAfterMs: 90 * DAY_MS };
  expect(renewalTime(validity, 0)).toBe(60 * DAY_MS);
  expect(renewalTime(validity, 0.999)).toBeGreaterThan(61 * DAY_MS);
  expect(renewalTime(validity, 0.999)).toBeLessThan(62 * DAY_MS);
});

test('a certificate of six days is renewed when two are left', () => {
  expect(renewalTime({ notBeforeMs: 0, notAfterMs: 6 * DAY_MS }, 0)).toBe(4 * DAY_MS);
});

test('failed orders are tried again after 1 min, doubling up to 6 h', () => {
  const minutes = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 50, 5000].map((failures) => retryDelay(failures, 0.5) / 60_000);
  expect(minutes).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 360, 360, 360]);
});

test('a retry is spread over a fifth either way, and never later than 6 h', () => {
  expect(retryDelay(2, 0)).toBe(96_000);
  expect(retryDelay(2, 0.999)).toBeGreaterThan(143_000);
  expect(retryDelay(20, 0.999)).toBe(6 * 3_600_000);
});
