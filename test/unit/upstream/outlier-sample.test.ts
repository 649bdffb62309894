import { describe, expect, test } from 'vitest';
import { mostEjected, type OutlierPolicy } from '../../../src/upstream/outlier/outlier-policy.ts';
import { OutlierSample, outliersAmong } from '../../../src/upstream/outlier/outlier-sample.ts';

const policy: OutlierPolicy = {
  consecutive: 5,
  errorRatio: 0.5,
  latency: { times: 3, leastMs: 50 },
  minimum: 20,
  intervalMs: 10_000,
  ejectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjected: 0.5,
  isFailure: (status) => status >= 500,
};

/** `good` answers, each with its head after `ms`, and `bad` failures. */
function sampleOf(good: number, bad: number, ms = 10): OutlierSample {
  const sample = new OutlierSample();
  for (let i = 0; i < good; i += 1) sample.answered(ms);
  for (let i = 0; i < bad; i += 1) sample.failed();
  return sample;
}

/** Letters of the endpoints that stand out, the worst first. */
function standOut(samples: readonly OutlierSample[], changes: Partial<OutlierPolicy> = {}): string {
  const items = samples.map((sample, index) => ({ sample, letter: 'abcdefgh'[index] }));
  return outliersAmong(items, { ...policy, ...changes })
    .map(({ item, reason }) => `${item.letter} ${reason}`)
    .join(', ');
}

describe('the share of errors', () => {
  test.each([
    ['one that fails half the time', [sampleOf(10, 10), sampleOf(20, 0), sampleOf(20, 0)], 'a error-ratio'],
    ['one that fails less than half', [sampleOf(11, 10), sampleOf(20, 0)], ''],
    ['one that had too few requests to say', [sampleOf(0, 19), sampleOf(20, 0)], ''],
    [
      'two, the worse first',
      [sampleOf(8, 12), sampleOf(1, 19), sampleOf(99, 1), sampleOf(60, 0)],
      'b error-ratio, a error-ratio',
    ],
    ['nobody when all fail alike', [sampleOf(8, 12), sampleOf(7, 13), sampleOf(9, 11)], ''],
    ['nobody when all fail always', [sampleOf(0, 30), sampleOf(0, 30)], ''],
    ['one that fails always among others that fail a little', [sampleOf(0, 30), sampleOf(25, 5)], 'a error-ratio'],
    ['the only one with traffic', [sampleOf(0, 30), sampleOf(0, 0)], 'a error-ratio'],
    ['nobody without traffic', [sampleOf(0, 0), sampleOf(0, 0)], ''],
  ] as const)('%s', (_, samples, expected) => {
    expect(standOut(samples)).toBe(expected);
  });

  test('counts a response that was cut short once', () => {
    const cut = sampleOf(20, 0);
    for (let i = 0; i < 12; i += 1) cut.failedLate();
    expect(standOut([cut, sampleOf(20, 0)])).toBe('a error-ratio');
    for (let i = 0; i < 50; i += 1) cut.failedLate();
    expect(standOut([cut, sampleOf(0, 20), sampleOf(20, 0)], { errorRatio: 0.9 })).toBe('a error-ratio, b error-ratio');
  });

  test('says nothing when it is off', () => {
    expect(standOut([sampleOf(0, 100), sampleOf(20, 0)], { errorRatio: null })).toBe('');
  });
});

describe('latency', () => {
  test.each([
    ['three times that of the others', [sampleOf(20, 0, 300), sampleOf(20, 0, 100), sampleOf(20, 0, 90)], 'a latency'],
    ['less than three times', [sampleOf(20, 0, 280), sampleOf(20, 0, 100), sampleOf(20, 0, 100)], ''],
    ['three times, but by less than 50 ms', [sampleOf(20, 0, 60), sampleOf(20, 0, 15)], ''],
    ['one of two', [sampleOf(20, 0, 20), sampleOf(20, 0, 500)], 'b latency'],
    ['too few answers to say', [sampleOf(19, 0, 900), sampleOf(20, 0, 10)], ''],
    ['nobody to compare with', [sampleOf(20, 0, 900), sampleOf(19, 0, 10)], ''],
    [
      'the slower first',
      [sampleOf(20, 0, 400), sampleOf(20, 0, 800), sampleOf(20, 0, 9), sampleOf(20, 0, 9), sampleOf(20, 0, 9)],
      'b latency, a latency',
    ],
    [
      'half of the pool is no exception',
      [sampleOf(20, 0, 400), sampleOf(20, 0, 400), sampleOf(20, 0, 9), sampleOf(20, 0, 400)],
      '',
    ],
  ] as const)('%s', (_, samples, expected) => {
    expect(standOut(samples)).toBe(expected);
  });

  test('one request that takes a minute is no slow endpoint', () => {
    const sample = sampleOf(19, 0, 20);
    sample.answered(60_000);
    expect(standOut([sample, sampleOf(20, 0, 20)])).toBe('');
  });

  test('answers in no time at all can be compared', () => {
    expect(standOut([sampleOf(20, 0, 0), sampleOf(20, 0, 100)])).toBe('b latency');
  });

  test('an endpoint that fails and is slow is told once, for its failures', () => {
    expect(standOut([sampleOf(20, 30, 900), sampleOf(20, 0, 10)])).toBe('a error-ratio');
  });

  test('says nothing when it is off', () => {
    expect(standOut([sampleOf(20, 0, 900), sampleOf(20, 0, 10)], { latency: null })).toBe('');
  });
});

test.each([
  [0, 0.5, 0],
  [1, 0.5, 0],
  [1, 1, 0],
  [2, 0.5, 1],
  [3, 0.5, 1],
  [4, 0.5, 2],
  [4, 0.1, 0],
  [10, 0.3, 3],
  [10, 0.29, 2],
  [10, 1, 9],
  [10, 0, 0],
])('of %d endpoints and a share of %d at most %d are put aside', (members, share, most) => {
  expect(mostEjected(members, share)).toBe(most);
});
