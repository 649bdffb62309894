import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { closest, editDistance, enumerate } from '../../../src/config/suggest.ts';

describe('edit distance', () => {
  test.each([
    ['pool', 'pool', 0],
    ['polo', 'pool', 1],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['endponts', 'endpoints', 1],
    ['listner', 'listener', 1],
    ['cookie', 'cookies', 1],
    ['kitten', 'sitting', 3],
    ['ca', 'abc', 3],
  ])('of %j and %j is %i', (a, b, distance) => {
    expect(editDistance(a, b)).toBe(distance);
  });

  test('is symmetric, zero for equals alone, and never more than the longer text', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 12 }), fc.string({ maxLength: 12 }), (a, b) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
      }),
    );
  });
});

describe('the closest candidate', () => {
  const keys = ['name', 'match', 'pool', 'redirect', 'respond', 'timeouts', 'connectTimeout', 'x'];
  test.each([
    ['polo', 'pool'],
    ['Match', 'match'],
    ['time-outs', 'timeouts'],
    ['timeout', 'timeouts'],
    ['connect_timeout', 'connectTimeout'],
    ['redirects', 'redirect'],
    ['response', 'respond'],
    ['proxy', null],
    ['y', null],
    ['', null],
    ['a'.repeat(1_000), null],
  ])('to %j is %j', (given, expected) => {
    expect(closest(given, keys)).toBe(expected);
  });

  test('may be asked for with fewer slips', () => {
    expect(closest('respondse', keys, 1)).toBeNull();
    expect(closest('respondse', keys)).toBe('respond');
  });
});

test('lists are cut when they are long', () => {
  expect(enumerate([])).toBe('nothing');
  expect(enumerate(['a'])).toBe('“a”');
  expect(enumerate(['a', 'b', 'c'], 'and')).toBe('“a”, “b” and “c”');
  expect(enumerate(['a', 'b', 'c'], 'or', 2)).toBe('“a”, “b” and 1 more');
});
