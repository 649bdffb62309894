import { expect, test } from 'vitest';
import { CacheTally, hitRatio, RouteTally } from '../../../src/cache/tally.ts';
import type { CacheReport } from '../../../src/exchange/outcome.ts';

function report(result: CacheReport['result'], rest: Partial<CacheReport> = {}): CacheReport {
  return { result, why: null, notStored: null, header: 'headgate', ...rest };
}

test('bytes are those of the store or those of an endpoint, and each reason is counted once', () => {
  const tally = new RouteTally();
  tally.finished(report('hit'), 10);
  tally.finished(report('stale-if-error', { why: 'stale' }), 10);
  tally.finished(report('revalidated', { why: 'stale' }), 10);
  tally.finished(report('collapsed'), 10);
  tally.finished(report('miss', { why: 'uri-miss', notStored: 'private' }), 1);
  tally.finished(report('bypass', { why: 'range' }), 1);
  tally.finished(report('fallback', { why: 'uri-miss', notStored: 'fallback' }), 1);
  expect([tally.bytesFromStore, tally.bytesFromUpstream]).toEqual([40, 3]);
  expect([...tally.notStored]).toEqual([
    ['private', 1],
    ['fallback', 1],
  ]);
  expect([...tally.bypassed]).toEqual([['range', 1]]);
  expect(tally.results).toMatchObject({ hit: 1, 'stale-if-error': 1, miss: 1, bypass: 1, unsatisfiable: 0 });
});

test('the hit ratio is about requests that the cache was asked for, and hits wait for nobody', () => {
  const { results } = new RouteTally();
  expect(hitRatio(results)).toBeNull();
  expect(hitRatio({ ...results, bypass: 7 })).toBeNull();
  expect(hitRatio({ ...results, hit: 2, 'stale-while-revalidate': 1, revalidated: 1, miss: 1, bypass: 7 })).toBe(0.6);
});

test('a fill is under way until it ends', () => {
  const cache = new CacheTally();
  const tally = cache.of('shop');
  tally.fillBegan();
  tally.fillBegan();
  tally.fillEnded('stored');
  expect([tally.filling, tally.stored]).toEqual([1, 1]);
  tally.fillEnded('invalidated');
  expect([tally.filling, tally.stored, tally.notStored.get('invalidated')]).toEqual([0, 1, 1]);
  expect(cache.of('shop')).toBe(tally);
});
