import { Histogram } from '../src/histogram.ts';
import { addAttemptMetrics } from '../src/observe/attempt-metrics.ts';
import type { Metrics } from '../src/observe/metrics.ts';
import { UpstreamMetrics } from '../src/observe/upstream-metrics.ts';

/** As many pools as a large configuration has, with two endpoints each. */
export function addUpstreamMetrics(metrics: Metrics, count: number, latencySeconds: readonly number[]): void {
  const histogram = new Histogram(latencySeconds);
  histogram.observe(0.01);
  const names = Array.from({ length: count }, (_, i) => `pool-${i}`);
  const origins = ['http://10.0.0.1:3000', 'http://10.0.0.2:3000'];
  const now = { up: true, standing: 'enabled', ejected: false, weight: 1, sessions: null };
  new UpstreamMetrics(metrics, {
    *endpoints() {
      for (const pool of names) for (const endpoint of origins) yield { pool, endpoint, ...now };
    },
    pools: () => names.map((pool) => ({ pool, panicking: false, priorities: [{ priority: 0, share: 1 }] })),
    discovered: () => [],
  });
  const endpoints = origins.map((endpoint) => ({
    ...{ endpoint, inFlight: 0, failed: 1, cancelled: 0 },
    answered: [0, 0, 5, 1, 1, 1],
  }));
  addAttemptMetrics(metrics, function* () {
    for (const pool of names) {
      yield { pool, duration: histogram, connect: histogram, failures: [['reset', 1] as const], endpoints };
    }
  });
}
