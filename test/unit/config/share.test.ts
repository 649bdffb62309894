import { describe, expect, test } from 'vitest';
import { formatShare } from '../../../src/config/near-values.ts';
import { share } from '../../../src/config/schema/units.ts';

describe('a share', () => {
  test.each([
    ['50%', 0.5],
    ['0%', 0],
    ['100%', 1],
    ['12.5%', 0.125],
    ['0.5', 0.5],
    [0.5, 0.5],
    [1, 1],
  ])('%j is %d', (written, parsed) => {
    expect(share.parse(written)).toBe(parsed);
  });

  test.each(['101%', '50', 1.5, -0.1, '-1%', 'half', '%', ''])('%j is none', (written) => {
    expect(share.safeParse(written).success).toBe(false);
  });

  test.each([
    [0.5, '50%'],
    [0.07, '7%'],
    [1, '100%'],
  ])('%d is written %s', (value, text) => {
    expect([formatShare(value), share.parse(text)]).toEqual([text, value]);
  });
});
