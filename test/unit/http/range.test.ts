import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { HeaderList } from '../../../src/http/headers.ts';
import {
  asksForRange,
  type ByteSpan,
  contentRange,
  formatContentRange,
  formatRange,
  MAX_RANGES,
  type Wanted,
  wantedSpans,
} from '../../../src/http/range.ts';

const LAST_MODIFIED = 'Sun, 06 Nov 1994 08:49:37 GMT';
const lastModifiedMs = Date.UTC(1994, 10, 6, 8, 49, 37);
const video = { length: 1000, etag: '"v1"', lastModifiedMs, dateMs: lastModifiedMs + 60_000 };

function wanted(range: string, over: Partial<typeof video> = {}, more: HeaderList = []): Wanted {
  return wantedSpans(['Range', range, ...more], { ...video, ...over });
}

function span(from: number, to: number): ByteSpan {
  return { from, to };
}

describe('Range (RFC 9110 §14.1.2, §14.2)', () => {
  test.each<[string, Wanted]>([
    ['bytes=0-499', [span(0, 500)]],
    ['bytes=500-999', [span(500, 1000)]],
    ['bytes=0-0', [span(0, 1)]],
    ['bytes=999-', [span(999, 1000)]],
    ['bytes=-500', [span(500, 1000)]],
    ['bytes=-1', [span(999, 1000)]],
    ['bytes=0-', [span(0, 1000)]],
    ['Bytes=0-1', [span(0, 2)]],
    ['bytes=00-01', [span(0, 2)]],
    // More than there is: what there is.
    ['bytes=990-2000', [span(990, 1000)]],
    ['bytes=-5000', [span(0, 1000)]],
    ['bytes=990-99999999999999999999999', [span(990, 1000)]],
    ['bytes=-99999999999999999999999', [span(0, 1000)]],
    ['bytes=1000-', 'unsatisfiable'],
    ['bytes=1000-1001', 'unsatisfiable'],
    ['bytes=99999999999999999999999-', 'unsatisfiable'],
    ['bytes=-0', 'unsatisfiable'],
    ['bytes=1000-,-0', 'unsatisfiable'],
  ])('%s', (range, expected) => {
    expect(wanted(range)).toEqual(expected);
    expect(asksForRange(['Range', range])).toBe(true);
  });

  test.each([
    '',
    'bytes',
    'bytes=',
    'bytes=,',
    'bytes=-',
    'bytes=a-b',
    'bytes=1',
    'bytes=5-4',
    'bytes=0-1-2',
    'bytes=--1',
    'bytes=+1-2',
    'bytes=0x1-2',
    'bytes=1.5-2',
    'bytes=0 - 1',
    'bytes =0-1',
    ' bytes=0-1',
    'bytes:0-1',
    'items=0-1',
    'bytes=0-1,x',
    'bytes=0-1,5-4',
    'bytes=0-1;2-3',
    'bytes=0-1, bytes=2-3',
    'none',
  ])('%j is ignored', (range) => {
    expect(wanted(range)).toBeNull();
    expect(asksForRange(['Range', range])).toBe(false);
  });

  test('two lines have no meaning, and neither have ranges of nothing', () => {
    expect(wanted('bytes=0-1', {}, ['Range', 'bytes=2-3'])).toBeNull();
    expect(wanted('bytes=0-1', { length: 0 })).toBeNull();
    expect(wanted('bytes=-1', { length: 0 })).toBeNull();
    expect(wantedSpans([], video)).toBeNull();
  });
});

describe('several ranges (RFC 9110 §14.2, §15.3.7.2, §17.15)', () => {
  test.each<[string, Wanted]>([
    ['bytes=0-99,200-299', [span(0, 100), span(200, 300)]],
    ['bytes=200-299 , 0-99,', [span(200, 300), span(0, 100)]],
    ['bytes=0-0,-1', [span(0, 1), span(999, 1000)]],
    ['bytes=0-99,100-199', [span(0, 200)]],
    ['bytes=0-99,50-199', [span(0, 200)]],
    ['bytes=0-99,150-199', [span(0, 200)]],
    ['bytes=0-99,179-199', [span(0, 200)]],
    ['bytes=0-99,180-199', [span(0, 100), span(180, 200)]],
    ['bytes=500-599,0-99,100-450', [span(0, 600)]],
    ['bytes=500-599,800-,0-99,100-450', [span(0, 600), span(800, 1000)]],
    ['bytes=0-1,2000-', [span(0, 2)]],
    ['bytes=0-,0-,0-,0-', [span(0, 1000)]],
  ])('%s', (range, expected) => {
    expect(wanted(range)).toEqual(expected);
  });

  test('more than a bound are ignored', () => {
    const list = (count: number): string => `bytes=${Array.from({ length: count }, (_, i) => `${i}-${i}`).join(',')}`;
    expect(wanted(list(MAX_RANGES))).toEqual([span(0, MAX_RANGES)]);
    expect(wanted(list(MAX_RANGES + 1))).toBeNull();
  });

  test('together they cover what was asked for, overlap nowhere, and are far from each other (property)', () => {
    const asked = fc.array(fc.tuple(fc.nat(1200), fc.nat(200)), { minLength: 1, maxLength: MAX_RANGES });
    fc.assert(
      fc.property(asked, (ranges) => {
        const result = wanted(`bytes=${ranges.map(([first, more]) => `${first}-${first + more}`).join(',')}`);
        const satisfiable = ranges.filter(([first]) => first < 1000);
        if (satisfiable.length === 0) {
          expect(result).toBe('unsatisfiable');
          return;
        }
        const spans = [...(result as readonly ByteSpan[])].sort((a, b) => a.from - b.from);
        for (const [first, more] of satisfiable) {
          const to = Math.min(first + more + 1, 1000);
          expect(spans.some((each) => each.from <= first && to <= each.to)).toBe(true);
        }
        spans.forEach((each, i) => {
          expect(each.from).toBeLessThan(each.to);
          expect(each.to).toBeLessThanOrEqual(1000);
          if (i > 0) expect(each.from - (spans[i - 1] as ByteSpan).to).toBeGreaterThanOrEqual(80);
        });
      }),
      { seed: 9110 },
    );
  });

  test('no text makes it throw or go outside of the representation (property)', () => {
    const text = fc.oneof(fc.string(), fc.stringMatching(/^bytes=[-0-9, ]*$/));
    fc.assert(
      fc.property(text, fc.nat(50), (range, length) => {
        const result = wanted(range, { length });
        if (result === null || result === 'unsatisfiable') return;
        for (const { from, to } of result) expect(0 <= from && from < to && to <= length).toBe(true);
      }),
      { seed: 9110 },
    );
  });
});

describe('If-Range (RFC 9110 §13.1.5)', () => {
  test.each<[string, Partial<typeof video>, boolean]>([
    ['"v1"', {}, true],
    [' "v1" ', {}, true],
    ['"v2"', {}, false],
    ['W/"v1"', {}, false],
    ['W/"v1"', { etag: 'W/"v1"' }, false],
    ['"v1"', { etag: 'W/"v1"' }, false],
    ['v1', {}, false],
    ['"v1", "v2"', {}, false],
    ['*', {}, false],
    [LAST_MODIFIED, {}, true],
    ['Sunday, 06-Nov-94 08:49:37 GMT', {}, true],
    ['Sun, 06 Nov 1994 08:49:38 GMT', {}, false],
    ['Sun, 06 Nov 1994 08:49:36 GMT', {}, false],
    // §8.8.2.2: it may have changed again within that second.
    [LAST_MODIFIED, { dateMs: lastModifiedMs }, false],
    [LAST_MODIFIED, { dateMs: lastModifiedMs + 1000 }, true],
    ['yesterday', {}, false],
    ['', {}, false],
  ])('%j against %j: %s', (value, over, met) => {
    expect(wanted('bytes=0-1', over, ['If-Range', value])).toEqual(met ? [span(0, 2)] : null);
    // What is not met makes an impossible range unasked for, too.
    expect(wanted('bytes=1000-', over, ['If-Range', value])).toEqual(met ? 'unsatisfiable' : null);
  });

  test('a representation without validators meets none, and two lines are met by none', () => {
    const none = { ...video, etag: null, lastModifiedMs: null };
    for (const value of ['"v1"', LAST_MODIFIED]) {
      expect(wantedSpans(['Range', 'bytes=0-1', 'If-Range', value], none)).toBeNull();
    }
    expect(wanted('bytes=0-1', {}, ['If-Range', '"v1"', 'If-Range', '"v1"'])).toBeNull();
  });
});

describe('Content-Range (RFC 9110 §14.4)', () => {
  test.each([
    ['bytes 0-4/10', { from: 0, to: 5, total: 10 }],
    ['bytes 9-9/10', { from: 9, to: 10, total: 10 }],
    ['Bytes 0-0/1', { from: 0, to: 1, total: 1 }],
    ['bytes 0-4/*', null],
    ['bytes */10', null],
    ['bytes 4-3/10', null],
    ['bytes 5-10/10', null],
    ['bytes 0-4/4', null],
    ['bytes 0-4', null],
    ['bytes -4/10', null],
    ['bytes a-4/10', null],
    ['bytes=0-4/10', null],
    ['bytes 0-4/10, bytes 5-9/10', null],
    ['items 0-4/10', null],
    ['bytes 0-9999999999999999/99999999999999999', null],
    ['', null],
  ])('%s', (value, expected) => {
    expect(contentRange(['Content-Range', value])).toEqual(expected);
  });

  test('exactly one line counts', () => {
    expect(contentRange([])).toBeNull();
    expect(contentRange(['Content-Range', 'bytes 0-4/10', 'content-range', 'bytes 0-4/10'])).toBeNull();
  });

  test('what is written is read as the same (property)', () => {
    fc.assert(
      fc.property(fc.nat(), fc.nat(), fc.nat(), (from, more, beyond) => {
        const part = { from, to: from + more + 1 };
        const total = part.to + beyond;
        expect(contentRange(['Content-Range', formatContentRange(part, total)])).toEqual({ ...part, total });
        const asked = wantedSpans(['Range', formatRange(part, total)], { ...video, length: total });
        expect(asked).toEqual([part]);
      }),
      { seed: 9110 },
    );
  });
});
