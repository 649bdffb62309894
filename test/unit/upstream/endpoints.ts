import { type Endpoint, placeOf } from '../../../src/upstream/endpoint.ts';
import { EndpointLive } from '../../../src/upstream/endpoint-live.ts';
import type { ProbeOutcome } from '../../../src/upstream/health/probe-state.ts';
import { ProbeState } from '../../../src/upstream/health/probe-state.ts';
import { connectionKey, probeId } from '../../../src/upstream/identity.ts';
import { Revision } from '../../../src/upstream/revision.ts';

export const limits = {
  maxConnections: 8,
  maxQueued: 8,
  queueTimeoutMs: 1_000,
  keepAliveMs: 4_000,
  connectTimeoutMs: 2_000,
};
export const plainTls = { serverName: null, ca: null, insecure: false };

const thresholds = { rise: 1, fall: 1, start: 'up' } as const;
/** Any check. */
export const probeIdentity = {
  type: 'http' as const,
  method: 'GET',
  headers: [],
  body: null,
  service: '',
  failingIntervalMs: 1_000,
  jitter: 0.2,
  target: '/',
  host: 'a.test',
  expect: [200],
  intervalMs: 1,
  timeoutMs: 1,
  ...thresholds,
};

/** Endpoints `http://10.0.0.1:3000`, `http://10.0.0.2:3000`, … of the pool `shop`, one for each weight, all healthy. */
export function endpointsOf(weights: readonly number[]): readonly Endpoint[] {
  const revision = new Revision();
  return weights.map((weight, index) => {
    const address = { secure: false, host: `10.0.${index >> 8}.${(index & 255) + 1}`, port: 3000 };
    const place = placeOf('shop', { address, tls: plainTls, limits });
    const probe = new ProbeState(
      probeId(connectionKey(place.origin, { tls: null, proxyProtocol: null }), probeIdentity),
      thresholds,
      { revision, nowMs: 0 },
    );
    return { ...place, weight, live: new EndpointLive(revision), probe };
  });
}

export function outcome(healthy: boolean): ProbeOutcome {
  return {
    healthy,
    reason: healthy ? 'expected-status' : 'unexpected-status',
    status: healthy ? 200 : 503,
    elapsedMs: 1,
  };
}

export function setHealth(endpoint: Endpoint | undefined, up: boolean): void {
  endpoint?.probe?.record(outcome(up), 0);
}

/** A repeatable stand-in for `Math.random` (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
