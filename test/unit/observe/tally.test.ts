import { expect, test } from 'vitest';
import { Tally } from '../../../src/observe/tally.ts';

test('a tally keeps only lists with certain names at a position', () => {
  const tally = new Tally();
  const pairs = [
    ['shop', 'a'],
    ['shop', 'b'],
    ['cart', 'a'],
  ] as const;
  for (const [pool, endpoint] of pairs) {
    tally.add(pool, endpoint, 'failed');
    tally.add(pool, endpoint, 'failed');
  }
  tally.retain(1, new Set(['b', 'c']));
  expect([...tally.entries()]).toEqual([[['shop', 'b', 'failed'], 2]]);
  tally.retain(0, new Set(['cart']));
  expect([...tally.entries()]).toEqual([]);
});
