import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Histogram } from '../../../src/histogram.ts';
import { SLICE_LINES } from '../../../src/observe/exposition.ts';
import { formatFor } from '../../../src/observe/exposition-format.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { parseExposition } from '../../kit/exposition.ts';

const OPENMETRICS = 'application/openmetrics-text';

/** The text in both formats, parsed. */
async function both(metrics: Metrics) {
  const prometheus = (await metrics.expose('text/plain')).pieces.join('');
  const openmetrics = (await metrics.expose(OPENMETRICS)).pieces.join('');
  return {
    prometheus: parseExposition(prometheus, 'prometheus'),
    openmetrics: parseExposition(openmetrics, 'openmetrics'),
  };
}

describe('both formats', () => {
  test('say the same of counters, gauges and histograms', async () => {
    const metrics = new Metrics();
    const histogram = new Histogram([0.005, 1, 10]);
    for (const value of [0.005, 0.006, 2, 11, 11]) histogram.observe(value);
    metrics.counter('x_seen_total', { help: 'Seen', labels: ['a'], tally: { entries: () => [[['1'], 3]] } });
    metrics.gauge('x_size_bytes', { help: 'Size', labels: [], read: (set) => set({}, Number.POSITIVE_INFINITY) });
    metrics.histogram('x_wait_seconds', { help: 'Waits', labels: ['a'], entries: () => [[['1'], histogram]] });
    const { prometheus, openmetrics } = await both(metrics);
    expect(prometheus.map(({ name }) => name)).toContain('x_seen_total');
    expect(openmetrics.map(({ name, unit }) => [name, unit])).toEqual(
      expect.arrayContaining([
        ['x_seen', null],
        ['x_size_bytes', 'bytes'],
        ['x_wait_seconds', 'seconds'],
      ]),
    );
    const sampled = prometheus.map(({ samples }) => samples.map(({ name, value }) => [name, value]));
    expect(openmetrics.map(({ samples }) => samples.map(({ name, value }) => [name, value]))).toEqual(sampled);
    const [, , waits] = prometheus;
    expect(waits?.samples.map(({ labels, value }) => [labels['le'], value])).toEqual([
      ['0.005', 1],
      ['1', 2],
      ['10', 3],
      ['+Inf', 5],
      [undefined, 24.011],
      [undefined, 5],
    ]);
    // OpenMetrics has floats look like floats.
    expect(openmetrics[2]?.samples[1]?.labels['le']).toBe('1.0');
  });

  test('carry any name and any help (property)', async () => {
    const names = fc.array(fc.string({ unit: fc.constantFrom('"', '\\', '\n', 'n', '{', '}', ',', '=', ' ', 'ä') }), {
      minLength: 1,
      maxLength: 5,
    });
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.string({ maxLength: 3 }), { maxLength: 4 }), names, async (values, texts) => {
        const metrics = new Metrics();
        const help = texts.join('');
        const series = [...new Set([...values, ...texts])].map((value, i) => [[value], i] as const);
        metrics.counter('x_total', { help, labels: ['a'], tally: { entries: () => series } });
        for (const [family] of Object.values(await both(metrics))) {
          expect(family?.help).toBe(help);
          expect(family?.samples.map(({ labels }) => labels['a'])).toEqual(series.map(([[value]]) => value));
        }
      }),
      { seed: 20_261_121, numRuns: 200 },
    );
  });

  test('name a trace for a bucket only where the format knows exemplars', async () => {
    const metrics = new Metrics();
    const exemplars = [undefined, { traceId: 'a'.repeat(32), value: 0.2, atEpoch: 1_795_231_738_123 }];
    const buckets = { bounds: [0.1], counts: [1, 1], sum: 0.3, exemplars };
    metrics.histogram('x_seconds', { help: 'X', labels: [], entries: () => [[[], buckets]] });
    const { prometheus, openmetrics } = await both(metrics);
    expect(prometheus[0]?.samples.every(({ exemplar }) => exemplar === null)).toBe(true);
    expect(openmetrics[0]?.samples.map(({ exemplar }) => exemplar)).toEqual([
      null,
      { labels: { trace_id: 'a'.repeat(32) }, value: 0.2 },
      null,
      null,
    ]);
  });
});

test.each([
  ['', 'prometheus'],
  ['*/*', 'prometheus'],
  ['text/html, */*;q=0.8', 'prometheus'],
  ['image/png', 'prometheus'],
  [OPENMETRICS, 'openmetrics'],
  // What Prometheus 3 sends.
  [
    'application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=1.0.0;escaping=allow-utf-8;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2',
    'openmetrics',
  ],
  ['application/openmetrics-text; version="1.0.0"; q=0.5, text/plain;q=0.4', 'openmetrics'],
  ['application/openmetrics-text;version=0.0.1, text/plain;q=0.1', 'prometheus'],
  ['application/openmetrics-text;q=0', 'prometheus'],
  ['application/openmetrics-text;q=x', 'prometheus'],
  ['application/openmetrics-text;q=0.5, text/plain;q=0.5', 'prometheus'],
  [',;,q=', 'prometheus'],
])('Accept: %s gets %s', (accept, format) => {
  expect(formatFor(accept)).toBe(format);
});

test('a scrape of many routes is written in slices, with the event loop’s turn in between', async () => {
  let pauses = 0;
  let sinceRead = 0;
  let longest = 0;
  const metrics = new Metrics(10_000, async () => {
    pauses += 1;
    longest = Math.max(longest, sinceRead);
    sinceRead = 0;
  });
  const histogram = new Histogram(Array.from({ length: 15 }, (_, i) => i + 1));
  metrics.histogram('x_seconds', {
    help: 'X',
    labels: ['route'],
    *entries() {
      for (let i = 0; i < 5_000; i += 1) {
        sinceRead += 1;
        yield [[`route-${i}`], histogram];
      }
    },
  });
  const { pieces } = await metrics.expose('');
  // A histogram has 18 lines.
  expect(longest).toBeLessThanOrEqual(Math.ceil(SLICE_LINES / 18));
  expect(pauses).toBeGreaterThanOrEqual(Math.floor((5_000 * 18) / (SLICE_LINES + 18)));
  expect(pieces.every((piece) => piece.endsWith('\n'))).toBe(true);
  expect(parseExposition(pieces.join(''), 'prometheus')[0]?.samples).toHaveLength(5_000 * 18);
});

test('however many ask at once, each format is written once; and anew for who asks later', async () => {
  const metrics = new Metrics();
  let reads = 0;
  metrics.gauge('x_now', { help: 'X', labels: [], read: (set) => set({}, ++reads) });
  const answers = await Promise.all([metrics.expose(''), metrics.expose('*/*'), metrics.expose(OPENMETRICS)]);
  expect(reads).toBe(2);
  expect(answers[0]?.pieces).toBe(answers[1]?.pieces);
  await metrics.expose('');
  expect(reads).toBe(3);
});

describe('beyond the limit of series', () => {
  test('counts and histograms are added up under one name, gauges are left out, and it is told how many', async () => {
    const metrics = new Metrics(2);
    const one = new Histogram([1]);
    one.observe(0.5);
    const routes = ['a', 'b', 'c', 'd', 'e'];
    metrics.counter('x_total', {
      help: 'X',
      labels: ['route', 'status'],
      tally: { entries: () => routes.map((route, i) => [[route, i % 2 === 0 ? '2xx' : '5xx'], 10 ** i] as const) },
    });
    metrics.gauge('x_now', {
      help: 'X',
      labels: ['route'],
      read: (set) => {
        for (const route of routes) set({ route }, 1);
      },
    });
    metrics.histogram('x_seconds', {
      help: 'X',
      labels: ['route'],
      entries: () => routes.map((route) => [[route], one] as const),
    });
    const { prometheus } = await both(metrics);
    const [counter, gauge, histogram, folded] = prometheus;
    expect(counter?.samples.map(({ labels, value }) => [labels['route'], labels['status'], value])).toEqual([
      ['a', '2xx', 1],
      ['b', '5xx', 10],
      ['_other', '2xx', 10_100],
      ['_other', '5xx', 1_000],
    ]);
    expect(gauge?.samples.map(({ labels }) => labels['route'])).toEqual(['a', 'b']);
    const counts = histogram?.samples.filter(({ name }) => name === 'x_seconds_count');
    expect(counts?.map(({ labels, value }) => [labels['route'], value])).toEqual([
      ['a', 1],
      ['b', 1],
      ['_other', 3],
    ]);
    expect(folded?.samples.map(({ labels, value }) => [labels['family'], value])).toEqual([
      ['x_total', 3],
      ['x_now', 3],
      ['x_seconds', 3],
    ]);
  });
});
