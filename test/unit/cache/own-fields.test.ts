import { expect, test } from 'vitest';
import { ownFields, weighFields } from '../../../src/cache/own-fields.ts';

const fields = ['Content-Type', 'text/html', 'x-colour', 'blue', 'X-Unusual-Name', '', 'ETag', '"é-0123456789"'];

test('fields of their own are the same fields, in the same order, case and number', () => {
  expect(ownFields(fields)).toEqual(fields);
  expect(ownFields([])).toEqual([]);
});

test('what a field weighs grows with its text, and a common name weighs nothing but its place in the list', () => {
  const common = weighFields(['Content-Type', 'text/html']);
  expect(weighFields(['content-type', 'text/html'])).toBe(common);
  expect(weighFields(['x-unusual-xx', 'text/html'])).toBe(common + 12);
  expect(weighFields(['Content-Type', `text/html${'x'.repeat(1000)}`])).toBeGreaterThanOrEqual(common + 1000);
});
