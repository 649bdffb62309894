import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatHttpDate, parseHttpDate } from '../../../src/http/date.ts';

const NOVEMBER_1994 = Date.UTC(1994, 10, 6, 8, 49, 37);
const NOW = Date.UTC(2026, 0, 1);

describe('parseHttpDate (RFC 9110 §5.6.7)', () => {
  test.each([
    'Sun, 06 Nov 1994 08:49:37 GMT',
    'Sunday, 06-Nov-94 08:49:37 GMT',
    'Sun Nov  6 08:49:37 1994',
    'sun, 06 NOV 1994 08:49:37 gmt',
    'Mon, 06 Nov 1994 08:49:37 GMT',
  ])('%s is read', (text) => {
    expect(parseHttpDate(text, NOW)).toBe(NOVEMBER_1994);
  });

  test.each([
    ['Sun Nov 16 08:49:37 1994', Date.UTC(1994, 10, 16, 8, 49, 37)],
    ['Thu, 29 Feb 2024 00:00:00 GMT', Date.UTC(2024, 1, 29)],
    ['Sat, 31 Dec 2016 23:59:60 GMT', Date.UTC(2017, 0, 1)],
    ['Mon, 01 Jan 0001 00:00:00 GMT', Date.parse('0001-01-01T00:00:00Z')],
    ['Fri, 31 Dec 9999 23:59:59 GMT', Date.UTC(9999, 11, 31, 23, 59, 59)],
  ])('%s is read, too', (text, ms) => {
    expect(parseHttpDate(text)).toBe(ms);
  });

  test.each([
    ['94', 1994],
    ['00', 2000],
    ['26', 2026],
    ['76', 2076],
    ['77', 1977],
    ['99', 1999],
  ])('the year %s, seen from 2026, is %i: at most 50 years ahead', (digits, year) => {
    expect(parseHttpDate(`Sunday, 06-Nov-${digits} 08:49:37 GMT`, NOW)).toBe(Date.UTC(year, 10, 6, 8, 49, 37));
  });

  test('two-digit years near a century’s end may lie in the next', () => {
    expect(parseHttpDate('Sunday, 06-Nov-10 08:49:37 GMT', Date.UTC(2090, 0, 1))).toBe(
      Date.UTC(2110, 10, 6, 8, 49, 37),
    );
  });

  test.each([
    '',
    '0',
    '-1',
    'Sun, 06 Nov 1994 08:49:37',
    'Sun, 06 Nov 1994 08:49:37 UTC',
    'Sun, 06 Nov 1994 08:49:37 +0000',
    'Sun, 06 Nov 1994 08:49:37 EST',
    'Sun, 6 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 94 08:49:37 GMT',
    'Sun, 06-Nov-1994 08:49:37 GMT',
    'Sun, 06 Now 1994 08:49:37 GMT',
    'Sun, 31 Nov 1994 08:49:37 GMT',
    'Thu, 29 Feb 2023 00:00:00 GMT',
    'Sun, 00 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 24:49:37 GMT',
    'Sun, 06 Nov 1994 08:60:37 GMT',
    'Sun, 06 Nov 1994 08:49:61 GMT',
    'Sun, 06 Nov 1994 8:49:37 GMT',
    'Sun,  06 Nov 1994 08:49:37 GMT',
    ' Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun, 06 Nov 1994 08:49:37 GMT ',
    'Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:37 GMT',
    'Sun Nov 6 08:49:37 1994',
    '1994-11-06T08:49:37Z',
  ])('%j is no date', (text) => {
    expect(parseHttpDate(text, NOW)).toBeNull();
  });
});

describe('formatHttpDate (RFC 9110 §5.6.7)', () => {
  test('writes IMF-fixdate, rounded down to the second', () => {
    expect(formatHttpDate(NOVEMBER_1994 + 999)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
    expect(formatHttpDate(NOVEMBER_1994 + 1000)).toBe('Sun, 06 Nov 1994 08:49:38 GMT');
    expect(formatHttpDate(NOVEMBER_1994)).toBe('Sun, 06 Nov 1994 08:49:37 GMT');
  });

  test('what is written is read', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: Date.UTC(9999, 11, 31) }), (ms) => {
        expect(parseHttpDate(formatHttpDate(ms))).toBe(Math.floor(ms / 1000) * 1000);
      }),
    );
  });
});
