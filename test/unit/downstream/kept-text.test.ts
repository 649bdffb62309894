import { expect, test } from 'vitest';
import { keptText } from '../../../src/downstream/fastlane/kept-text.ts';
import type { CommonFields } from '../../../src/exchange/response-sink.ts';

function remembered(value: string): CommonFields {
  const fields = ['X-Large', value];
  const common: CommonFields = { fields, made: null };
  expect(keptText({ status: 200, headers: [...fields, 'Age', '0'], common })).not.toBeNull();
  return common;
}

test('kept texts weigh at most 8 MiB together, and the oldest goes first', () => {
  const commons = Array.from({ length: 10 }, () => remembered('x'.repeat(1024 * 1024)));
  // Each is a little more than a mebibyte: seven fit.
  expect(commons.map(({ made }) => made !== null)).toEqual([...Array(3).fill(false), ...Array(7).fill(true)]);
});

test('nothing is kept of fields that were edited, that can not be sent, or that have to be looked at together', () => {
  const common = remembered('x');
  expect(keptText({ status: 200, headers: ['X-Large', 'y', 'Age', '0'], common })).toBeNull();
  expect(keptText({ status: 404, headers: ['X-Large', 'x'], common })).toBeNull();
  expect(keptText({ status: 200, headers: ['X-Large', 'x'] })).toBeNull();
  for (const fields of [
    ['X', 'a\0'],
    ['Content-Disposition', 'inline'],
    ['Trailer', 'X'],
  ]) {
    const unfit: CommonFields = { fields, made: null };
    expect(keptText({ status: 200, headers: fields, common: unfit })).toBeNull();
    expect(keptText({ status: 200, headers: fields, common: unfit })).toBeNull();
  }
});
