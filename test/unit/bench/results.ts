import type { CrowdRow } from '../../../bench/crowd.ts';
import type { HalfRow } from '../../../bench/half.ts';
import type { IdleRow } from '../../../bench/idle.ts';
import type { Row } from '../../../bench/report.ts';
import type { Results } from '../../../bench/results.ts';
import type { WorkersRow } from '../../../bench/workers.ts';

/** A run that has measured nothing. */
export const noResults: Results = {
  takenAt: '2026-11-21T12:00:00.000Z',
  machine: { processor: 'Some processor', cores: 4, kernel: '6.1', node: 'v26.10.0', versions: {} },
  seconds: 5,
  connections: 64,
  scenarios: { proxied: [], https: [], http2: [], large: [], cached: [], 'https-cached': [] },
  ...{ half: [], idle: [], crowd: [], workers: [], handshakes: [], abuse: [] },
};

export function rowOf(peer: string, cpuPerRequestUs: number): Row {
  const load = { requests: 100_000, requestsPerSecond: 20_000, p50Ms: 1, p99Ms: 2, failures: 0 };
  return { peer, ...load, cpuPerRequestUs, residentMiB: 100 };
}

export function halfOf(peer: string, p99Ms: number, ownP99Ms = 0, ownWait = 0.2): HalfRow {
  const rest = { requests: 1_000, failures: 0, p50Ms: 0.1, perSecond: 10_000, cpuPerRequestUs: 20 };
  return { peer, ...rest, p99Ms, ownP99Ms, ownWait };
}

export function idleOf(peer: string, kind: IdleRow['kind'], kibibytesEach: number): IdleRow {
  return { peer, kind, connections: 19_000, kibibytesEach, p99BeforeMs: 1, p99DuringMs: 1 };
}

export function crowdOf(peer: string, errors: Partial<CrowdRow['errors']>): CrowdRow {
  const none = { connect: 0, closed: 0, status: 0, malformed: 0, silent: 0, 'closed idle': 0 };
  const rest = {
    opened: 10_000,
    kept: 10_000,
    requests: 1_000,
    p50Ms: 1,
    p99Ms: 2,
    perSecond: 1_000,
    residentMiB: 100,
  };
  return { peer, ...rest, errors: { ...none, ...errors } };
}

export function workersOf(workers: number, requestsPerSecond: number, coresAllow = true): WorkersRow {
  return { workers, requestsPerSecond, cpuPerRequestUs: 20, failures: 0, coresAllow };
}
