import { expect, test } from 'vitest';
import { parseRetryAfter } from '../../../src/http/retry-after.ts';

const now = Date.UTC(2026, 10, 21, 12, 0, 0);

test.each<[string, number | null]>([
  ['0', 0],
  ['2', 2_000],
  [' 120 ', 120_000],
  ['Sat, 21 Nov 2026 12:00:30 GMT', 30_000],
  ['Saturday, 21-Nov-26 12:00:30 GMT', 30_000],
  ['Sat Nov 21 12:00:30 2026', 30_000],
  ['Sat, 21 Nov 2026 11:59:00 GMT', 0],
  ['-1', null],
  ['1.5', null],
  ['2s', null],
  ['', null],
  ['soon', null],
  ['12345678901', null],
])('Retry-After: %s is %s ms (RFC 9110 §10.2.3)', (value, expected) => {
  expect(parseRetryAfter(value, now)).toBe(expected);
});
