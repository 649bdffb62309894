import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDuration, formatSize, nearValue } from '../../../src/config/near-values.ts';
import { rate } from '../../../src/config/schema/policy/rate-limit.ts';
import { duration, size } from '../../../src/config/schema/units.ts';

describe('a near miss of a duration', () => {
  test.each([
    ['5 sec', '5s'],
    ['5S', '5s'],
    ['5', '5s'],
    ['5000', '5s'],
    ['1500', '1500ms'],
    ['30 seconds', '30s'],
    ['250 millis', '250ms'],
    ['1m30s', '90s'],
    ['2 min', '2m'],
    ['1.5 hours', '90m'],
    ['1 week', '7d'],
    ['10_000ms', '10s'],
    ['soon', null],
    ['5 parsecs', null],
    ['-5s', null],
    ['', null],
  ])('%j → %j', (text, expected) => {
    expect(nearValue('duration', text)).toBe(expected);
  });
});

describe('a near miss of a size', () => {
  test.each([
    ['10 MB', '10M'],
    ['10MiB', '10M'],
    ['10m', '10M'],
    ['64K', '64k'],
    ['64 kB', '64k'],
    ['1 gb', '1G'],
    ['2T', '2048G'],
    ['512 bytes', '512'],
    ['512B', '512'],
    ['1.5 MB', '1.5M'],
    ['1_000', '1000'],
    ['big', null],
    ['-1', null],
  ])('%j → %j', (text, expected) => {
    expect(nearValue('size', text)).toBe(expected);
  });
});

describe('a near miss of something else', () => {
  test.each([
    ['path', 'api/users', '/api/users'],
    ['path', 'https://a/b', null],
    ['path', '', null],
    ['address', '3000', 'localhost:3000'],
    ['address', ':3000', 'localhost:3000'],
    ['address', 'http://a.test:80/x?y', 'http://a.test:80'],
    ['address', 'a.test', null],
    ['share', '50', '50%'],
    ['share', '50 percent', '50%'],
    ['share', '0,5', '0.5'],
    ['share', '500', null],
    ['share', 'half', null],
    ['status-range', '2xx', '200-299'],
    ['status-range', '5XX', '500-599'],
    ['status-range', '200..204', '200-204'],
    ['status-range', '200 - 204', '200-204'],
    ['status-range', '600-700', null],
    ['word', 'a b', null],
  ] as const)('%s %j → %j', (kind, text, expected) => {
    expect(nearValue(kind, text)).toBe(expected);
  });
});

test('what is suggested is accepted, and means what was formatted', () => {
  fc.assert(
    fc.property(fc.nat(1e12), (count) => {
      expect(duration.parse(formatDuration(count))).toBe(count);
      expect(size.parse(formatSize(count))).toBe(count);
      expect(duration.safeParse(nearValue('duration', `${count} MSEC`)).success).toBe(true);
      expect(size.safeParse(nearValue('size', `${count} KiB`)).success).toBe(true);
    }),
  );
});

describe('a near miss of a rate', () => {
  test.each([
    ['100', '100/s'],
    ['100/sec', '100/s'],
    ['100 per second', '100/s'],
    ['100r/s', '100/s'],
    ['5/min', '5/m'],
    ['5 requests per minute', '5/m'],
    ['1_000/hour', '1000/h'],
    ['10 in 30 s', '10/30s'],
    ['10 per 120s', '10/2m'],
    ['10/500ms', null],
    ['0/s', null],
    ['fast', null],
    ['', null],
  ])('%j → %j', (text, expected) => {
    expect(nearValue('rate', text)).toBe(expected);
  });

  test('is a rate itself (property)', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 10_000 }),
        fc.constantFrom('s', 'min', 'hours', 'd', '30s', '90s'),
        (count, unit) => {
          const near = nearValue('rate', `${count} per ${unit}`);
          expect(rate.safeParse(near).success).toBe(true);
        },
      ),
      { seed: 7, numRuns: 100 },
    );
  });
});
