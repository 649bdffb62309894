import { expect, test } from 'vitest';
import { Orders } from '../../../src/fleet/orders.ts';

const call = (method: 'drain' | 'enable', endpoint: string) => ({ method, parameters: ['shop', endpoint] }) as const;

test('of two orders about the same the last one is known to workers that come, in the order in which they were given', () => {
  const orders = new Orders();
  orders.remember('a', call('drain', 'a'));
  orders.remember('b', call('drain', 'b'));
  orders.remember('a', call('enable', 'a'));
  expect(orders.all).toEqual([call('drain', 'b'), call('enable', 'a')]);
});

test('an order that nobody could carry out leaves the one before it', () => {
  const orders = new Orders();
  orders.remember('a', call('drain', 'a'));
  orders.remember('a', call('enable', 'a'))();
  expect(orders.all).toEqual([call('drain', 'a')]);
  const takeBack = orders.remember('b', call('drain', 'b'));
  orders.remember('b', call('enable', 'b'));
  // Too late: somebody has ordered otherwise since.
  takeBack();
  expect(orders.all).toEqual([call('drain', 'a'), call('enable', 'b')]);
});
