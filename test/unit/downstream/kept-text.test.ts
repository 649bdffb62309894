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
  // Each is a little more than two mebibytes, of fields and of their text: three fit.
  expect(commons.map(({ made }) => made !== null)).toEqual([...Array(7).fill(false), ...Array(3).fill(true)]);
});

test('what was sent with them weighs as well: it stays in memory after its entry has left the cache', () => {
  const size = 1024 * 1024;
  const commons = Array.from({ length: 10 }, () => {
    const fields = ['Date', 'Thu, 01 Jan 2026 00:00:00 GMT', 'Content-Length', String(size)];
    const common: CommonFields = { fields, made: null };
    const headers = [...fields, 'Age', '0'];
    keptText({ status: 200, headers, common })?.sent(headers, Buffer.alloc(size), 'x'.repeat(size));
    return common;
  });
  expect(commons.filter(({ made }) => made !== null).length).toBe(7);
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
