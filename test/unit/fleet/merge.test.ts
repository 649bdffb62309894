import { describe, expect, test } from 'vitest';
import { BackOff } from '../../../src/fleet/back-off.ts';
import { gaugeMergeOf, lasting, mergedFamilies } from '../../../src/fleet/merge-families.ts';
import { merged } from '../../../src/fleet/merge-status.ts';
import type { PlainFamily } from '../../../src/fleet/protocol.ts';

function family(name: string, kind: PlainFamily['kind'], series: PlainFamily['series']): PlainFamily {
  return { name, kind, help: 'For a test', labels: ['of'], series };
}

describe('metrics of several workers', () => {
  test('counters are summed series by series, whoever has them', () => {
    const one = family('a_total', 'counter', [
      [['x'], 1],
      [['y'], 2],
    ]);
    const other = family('a_total', 'counter', [
      [['y'], 3],
      [['z'], 4],
    ]);
    expect(mergedFamilies([[one], [other]])[0]?.series).toEqual([
      [['x'], 1],
      [['y'], 5],
      [['z'], 4],
    ]);
  });

  test('histograms are summed bucket by bucket; other bounds are left out', () => {
    const of = (bounds: number[], counts: number[], sum: number) =>
      family('a_seconds', 'histogram', [[['x'], { bounds, counts, sum }]]);
    const all = mergedFamilies([[of([1, 2], [1, 0, 2], 6)], [of([1, 2], [0, 3, 1], 9)], [of([5], [7, 7], 99)]]);
    expect(all[0]?.series).toEqual([[['x'], { bounds: [1, 2], counts: [1, 3, 3], sum: 15 }]]);
  });

  test.each([
    ['headgate_connections', 'sum', 7],
    ['headgate_endpoint_up', 'min', 3],
    ['headgate_pool_panic', 'max', 4],
  ] as const)('the gauge %s is the %s', (name, how, value) => {
    expect(gaugeMergeOf(name)).toBe(how);
    const gauges = [3, 4].map((each) => [family(name, 'gauge', [[['x'], each]])]);
    expect(mergedFamilies(gauges)[0]?.series).toEqual([[['x'], value]]);
  });

  test('of a worker that has ended, what it has counted stays, and what it had does not', () => {
    const all = [family('a_total', 'counter', []), family('b', 'gauge', []), family('c', 'histogram', [])];
    expect(lasting(all).map(({ name }) => name)).toEqual(['a_total', 'c']);
  });
});

describe('the status of several workers', () => {
  test('counts are summed, members of lists are put together by name, and what is the same is taken once', () => {
    const worker = (inFlight: number, extra: object[]) => ({
      version: '1.0.0',
      routes: 3,
      overload: null,
      listeners: [{ name: 'web', url: 'http://web', connections: inFlight }],
      pools: [{ name: 'shop', available: 2, endpoints: [{ origin: 'http://a', inFlight, weight: 5 }, ...extra] }],
      retries: { made: { reset: inFlight }, left: 10 },
    });
    expect(merged([worker(1, []), worker(2, [{ origin: 'http://b', inFlight: 4, weight: 1 }])])).toEqual({
      version: '1.0.0',
      routes: 3,
      overload: null,
      listeners: [{ name: 'web', url: 'http://web', connections: 3 }],
      pools: [
        {
          name: 'shop',
          available: 2,
          endpoints: [
            { origin: 'http://a', inFlight: 3, weight: 5 },
            { origin: 'http://b', inFlight: 4, weight: 1 },
          ],
        },
      ],
      retries: { made: { reset: 3 }, left: 20 },
    });
  });

  test('what only one has is that', () => {
    expect(merged<{ limits: { inFlight: number } | null }>([{ limits: null }, { limits: { inFlight: 2 } }])).toEqual({
      limits: { inFlight: 2 },
    });
  });
});

test('who ends again and again is started at once, then ever later, and after a minute of life at once again', () => {
  const backOff = new BackOff();
  const delays = Array.from({ length: 12 }, () => backOff.next(1_000));
  expect(delays).toEqual([0, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 30_000, 30_000]);
  expect(backOff.next(60_000)).toBe(0);
  expect(backOff.next(59_999)).toBe(100);
});
