import { expect, test } from 'vitest';
import { mistakesIn } from '../../../src/cli/compile-only.ts';
import { configFromObject } from '../../../src/config/load.ts';

const COMBINATIONS = {
  listeners: { web: { port: 8443, tls: { acme: { names: ['shop.example'] } } } },
  routes: [{ respond: { status: 200 } }],
  cache: { disk: { path: '/tmp' } },
};

function complaintsOf(workers: number | 'auto'): readonly string[] {
  return mistakesIn(configFromObject({ ...COMBINATIONS, workers })).map(({ message }) => message);
}

test('what several processes can’t have in common is refused, where it is written', () => {
  const disk = 'the directory of the cache is one process’s alone, and there may be several workers';
  const acme = 'each of several workers would order certificates of its own, and not know the others’ challenges';
  expect(complaintsOf(2)).toEqual(expect.arrayContaining([disk, acme]));
  expect(complaintsOf('auto')).toEqual(expect.arrayContaining([disk, acme]));
  expect(complaintsOf(1)).toEqual([]);
});

test.each([0, -1, 257, 1.5, 'many'])('%s is no number of workers', (workers) => {
  const loaded = configFromObject({ workers });
  expect(loaded.ok).toBe(false);
});
