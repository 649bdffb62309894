import type { BalanceRequest } from '../../../src/upstream/balance/balancer.ts';
import { type BalanceMethod, type BalanceState, balancingOf } from '../../../src/upstream/balance/balancing.ts';
import { Tiers } from '../../../src/upstream/balance/tiers.ts';
import { type Endpoint, placeOf } from '../../../src/upstream/endpoint.ts';
import { EndpointLive } from '../../../src/upstream/endpoint-live.ts';
import type { ProbeOutcome } from '../../../src/upstream/health/probe-state.ts';
import { ProbeState } from '../../../src/upstream/health/probe-state.ts';
import { connectionKey, probeId } from '../../../src/upstream/identity.ts';
import { Pool, type PoolOptions } from '../../../src/upstream/pool.ts';
import { PoolLive } from '../../../src/upstream/pool-live.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

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

/** Of all endpoints of a test file. */
export const revision = new Revision();

/** Endpoints `http://10.0.0.1:3000`, `http://10.0.0.2:3000`, … of the pool `shop`, one for each weight, all healthy. */
export function endpointsOf(weights: readonly number[]): readonly Endpoint[] {
  return weights.map((weight, index) => {
    const address = { secure: false, host: `10.0.${index >> 8}.${(index & 255) + 1}`, port: 3000 };
    const place = placeOf('shop', { address, tls: plainTls, limits });
    const probe = new ProbeState(
      probeId(connectionKey(place.origin, { tls: null, proxyProtocol: null }), probeIdentity),
      thresholds,
      { revision, nowMs: 0 },
    );
    return { ...place, weight, priority: 0, live: new EndpointLive(revision), probe };
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

/** With a cursor of its own, seeded chance and a clock that stands still. */
export function balanceState(state: Partial<BalanceState> = {}): BalanceState {
  return { cursor: new PoolLive(), random: seededRandom(20_260_101), clock: new ManualClock(), ...state };
}

export interface Picker {
  pick(request: Partial<BalanceRequest>): Endpoint | null;
}

/** Picks among these endpoints as they are at each moment. */
export function pickerOf(method: BalanceMethod, endpoints: readonly Endpoint[], state?: Partial<BalanceState>): Picker {
  const tiers = new Tiers({ balancing: balancingOf(method, balanceState(state)), enough: 0.7, panic: 0 });
  return {
    pick: (request) => {
      tiers.lookOver(endpoints);
      return tiers.pick({ clientAddress: '192.0.2.1', facts: null, tried: null, ...request });
    },
  };
}

/** A pool `shop` that takes turns, unless told otherwise. */
export function poolOf(endpoints: readonly Endpoint[], options: Partial<PoolOptions> = {}): Pool {
  return new Pool({
    name: 'shop',
    endpoints,
    balancing: balancingOf('round-robin', balanceState()),
    failover: { enough: 0.7, panic: 0 },
    live: new PoolLive(),
    revision,
    observer: { event: () => {} },
    affinity: null,
    hostPolicy: 'preserve',
    ...options,
  });
}
