import { setImmediate as nextTurn } from 'node:timers/promises';
import { gzipSync } from 'node:zlib';
import { Counter, Histogram as LibraryHistogram, Registry } from '@prometheus-io/client';
import { systemClock } from '../src/clock.ts';
import type { ExchangeRecord } from '../src/exchange/outcome.ts';
import { addCacheMetrics } from '../src/observe/cache-metrics.ts';
import { Metrics } from '../src/observe/metrics.ts';
import { TrafficMetrics } from '../src/observe/traffic-metrics.ts';
import { addUpstreamMetrics } from './metrics-subjects.ts';

// What metrics cost: counting one exchange, beside the library that others use; and reading those of 5 000 routes and 5 000 pools, with
// the longest time between two turns of the event loop meanwhile: on a busy machine only the least of several rounds says something.
// Run: node bench/metrics.ts

const EXCHANGES = 2_000_000;
const ROUTES = 5_000;
const LATENCY = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];

const record = {
  listener: 'https',
  route: 'users',
  status: 200,
  bytesIn: 0,
  bytesOut: 1_024,
  totalMs: 1.234_567,
  firstByteMs: 1.012_345,
  overheadMs: 0.087_654,
  trace: null,
  fallback: null,
  end: { side: 'gateway', reason: 'complete', error: null, bug: null },
} as ExchangeRecord;

let sliceBegan = performance.now();
let slices: number[] = [];

function noteSlice(): void {
  slices.push(performance.now() - sliceBegan);
}

const metrics = new Metrics(10_000, async () => {
  noteSlice();
  await nextTurn();
  sliceBegan = performance.now();
});
const traffic = new TrafficMetrics(metrics, { clock: systemClock, latencySeconds: LATENCY });

const registers = [new Registry()];
const labelNames = ['listener', 'route'];
const requests = new Counter({ name: 'requests_total', help: 'x', labelNames: [...labelNames, 'status'], registers });
const histograms = ['duration', 'first_byte', 'overhead'].map(
  (name) => new LibraryHistogram({ name, help: 'x', labelNames, buckets: [...LATENCY], registers }),
);

const contenders: Readonly<Record<string, (record: ExchangeRecord) => void>> = {
  headgate: (each) => traffic.finished(each),
  library: ({ listener, route, status, totalMs, firstByteMs, overheadMs }) => {
    const labels = { listener, route: route ?? '' };
    requests.inc({ ...labels, status: `${status}`.slice(0, 1) });
    histograms[0]?.observe(labels, totalMs / 1_000);
    histograms[1]?.observe(labels, (firstByteMs ?? 0) / 1_000);
    histograms[2]?.observe(labels, overheadMs / 1_000);
  },
};
for (const [name, count] of Object.entries(contenders)) {
  for (let i = 0; i < EXCHANGES / 10; i += 1) count(record);
  const began = process.cpuUsage();
  for (let i = 0; i < EXCHANGES; i += 1) count(record);
  const { user, system } = process.cpuUsage(began);
  console.log(`${name.padEnd(10)} ${(((user + system) / EXCHANGES) * 1_000).toFixed(0)} ns an exchange`);
}

for (let i = 0; i < ROUTES; i += 1) {
  for (const status of [200, 304, 404, 502]) {
    const end = { ...record.end, error: status === 502 ? ('connection_refused' as const) : null };
    traffic.finished({ ...record, route: `route-${i}`, status, end });
  }
}
addUpstreamMetrics(metrics, ROUTES, LATENCY);
addCacheMetrics(metrics, {
  tally: {
    *routes() {
      const results = { hit: 1, miss: 2, stale: 3, bypass: 4, revalidated: 5 };
      const rest = { bypassed: [['method', 1]], notStored: [['private', 1]] } as const;
      const counts = { results, ...rest, stored: 1, filling: 0, bytesFromStore: 1, bytesFromUpstream: 1 };
      for (let i = 0; i < ROUTES; i += 1) yield [`route-${i}`, counts];
    },
    purges: () => [],
  },
  store: { bytes: 1, entries: 1, evictions: 1 },
});
for (let round = 0; round < 8; round += 1) await scrape();

async function scrape(): Promise<void> {
  slices = [];
  const began = process.cpuUsage();
  sliceBegan = performance.now();
  const { pieces } = await metrics.expose('');
  noteSlice();
  const { user, system } = process.cpuUsage(began);
  const text = pieces.join('');
  slices.sort((a, b) => a - b);
  const at = (share: number): string => (slices[Math.floor((slices.length - 1) * share)] ?? 0).toFixed(2);
  console.log(
    `${ROUTES} routes and pools: ${text.split('\n').length} lines, ${(text.length / 1e6).toFixed(1)} MB, gzipped ` +
      `${(gzipSync(text, { level: 1 }).length / 1e6).toFixed(1)} MB, ${((user + system) / 1_000).toFixed(0)} ms CPU in ` +
      `${slices.length} slices of ${at(0.5)} ms, one in a hundred of ${at(0.99)} ms, the longest ${at(1)} ms`,
  );
}
