import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isoTime, quote, quoteName, round } from '../../../src/observe/log-text.ts';

test('a duration is written with as many of its microseconds as it needs', () => {
  expect([0, 1, 1.5, 0.02, 12.345_678, 1_234.000_4, 60_000, null].map(round)).toEqual([
    ...['0', '1', '1.5', '0.02', '12.346', '1234', '60000', 'null'],
  ]);
});

test('whatever a duration is, it is written as JSON writes the rounded number', () => {
  fc.assert(
    fc.property(fc.oneof(fc.double({ noNaN: true }), fc.double({ min: -1, max: 1e6, noNaN: true })), (ms) => {
      expect(round(ms)).toBe(String(Math.round(ms * 1_000) / 1_000));
    }),
    { seed: 8, numRuns: 2_000 },
  );
});

test('a name is quoted like every text, the first time and every other', () => {
  const names = ['shop', 'a"b', 'back\\slash', 'Äpfel', ...Array.from({ length: 1_500 }, (_, i) => `endpoint-${i}`)];
  for (const name of [...names, ...names]) expect(quoteName(name)).toBe(quote(name));
  expect(quoteName(null)).toBe('null');
});

test('a time is that of its own millisecond, whichever came before', () => {
  const times = [1_795_231_738_001, 1_795_231_738_001.9, 1_795_231_738_001, 1_795_231_739_000, 1_795_231_738_999];
  for (const ms of times) expect(isoTime(ms)).toBe(new Date(ms).toISOString());
});
