import { expect, test } from 'vitest';
import { medianRows } from '../../../bench/median-rows.ts';
import { rowOf } from './results.ts';

const cpu = ({ cpuPerRequestUs }: { readonly cpuPerRequestUs: number }): number => cpuPerRequestUs;

test('of several rounds the middle one of each proxy is kept, in the order of the proxies', () => {
  const rows = [rowOf('b', 3), rowOf('a', 10), rowOf('b', 1), rowOf('a', 30), rowOf('b', 2), rowOf('a', 20)];
  expect(medianRows(rows, cpu)).toEqual([rowOf('b', 2), rowOf('a', 20)]);
});

test('of two rounds it is the lower one, of one that one, of none none', () => {
  expect(medianRows([rowOf('a', 2), rowOf('a', 1)], cpu)).toEqual([rowOf('a', 1)]);
  expect(medianRows([rowOf('a', 2)], cpu)).toEqual([rowOf('a', 2)]);
  expect(medianRows([], cpu)).toEqual([]);
});
