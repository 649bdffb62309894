import { expect, test } from 'vitest';
import { normaliseField } from '../../../src/cache/field-value.ts';

test.each([
  ['x-tenant', ' a , b,\tc ', 'a,b,c'],
  ['x-tenant', ' a b ', 'a b'],
  ['x-tenant', ', a,', ',a,'],
  ['cookie', 'a , b', 'a , b'],
  ['accept-language', 'DE , en', 'de,en'],
])('%s: blanks around the commas of “%s” mean nothing', (name, value, normal) => {
  expect(normaliseField(name, value)).toBe(normal);
});

test('blanks that no comma follows take no longer than other characters', () => {
  // Quadratic in them, this would take hours.
  const blanks = ' '.repeat(4_000_000);
  expect(normaliseField('x-tenant', `a${blanks}b`)).toHaveLength(4_000_002);
  expect(normaliseField('x-tenant', `a${blanks}b${blanks},c`)).toHaveLength(4_000_004);
});
