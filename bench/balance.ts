import { Bench } from 'tinybench';
import type { BalanceRequest } from '../src/upstream/balance/balancer.ts';
import { createCursor } from '../src/upstream/balance/balancer.ts';
import { type BalanceName, balancerOf } from '../src/upstream/balance/balancer-of.ts';
import { type Endpoint, placeOf } from '../src/upstream/endpoint.ts';
import { EndpointLive } from '../src/upstream/endpoint-live.ts';
import { ProbeState } from '../src/upstream/health/probe-state.ts';
import { connectionKey, probeId } from '../src/upstream/identity.ts';
import { Revision } from '../src/upstream/revision.ts';

// Time of one pick, all endpoints healthy and checked, as in a busy pool. Run: node bench/balance.ts

const PICKS = 1_000; // per sample: one pick is below the resolution of the clock
const limits = { maxConnections: 256, maxQueued: 1024, queueTimeoutMs: 0, keepAliveMs: 4_000, connectTimeoutMs: 2_000 };
const probe = {
  type: 'http' as const,
  method: 'GET',
  headers: [],
  body: null,
  service: '',
  failingIntervalMs: 1_000,
  jitter: 0.2,
  target: '/',
  host: 'bench.test',
  expect: [200],
  intervalMs: 5_000,
  timeoutMs: 2_000,
  rise: 2,
  fall: 3,
  start: 'up' as const,
};

const revision = new Revision();

function endpoints(count: number, weightOf: (index: number) => number): Endpoint[] {
  return Array.from({ length: count }, (_, index) => {
    const address = { secure: false, host: `10.0.${index >> 8}.${index & 255}`, port: 3000 };
    const place = placeOf('bench', { address, tls: { serverName: null, ca: null, insecure: false }, limits });
    const id = probeId(connectionKey(place.origin, { tls: null, proxyProtocol: null }), probe);
    const live = new EndpointLive(revision);
    live.inFlight = (index * 7) % 13;
    return { ...place, weight: weightOf(index), live, probe: new ProbeState(id, probe, { revision, nowMs: 0 }) };
  });
}

const requests: BalanceRequest[] = Array.from({ length: 256 }, (_, index) => ({
  clientAddress: `192.0.2.${index}`,
  tried: null,
}));

const bench = new Bench({ time: 300, warmupTime: 100 });
for (const count of [3, 100]) {
  for (const weights of ['equal', 'unequal'] as const) {
    for (const name of ['round-robin', 'least-connections', 'source-ip', 'random'] satisfies BalanceName[]) {
      const pool = endpoints(count, weights === 'equal' ? () => 1 : (index) => 1 + (index % 5));
      const balancer = balancerOf(name, pool, { cursor: createCursor(), random: Math.random });
      bench.add(`${name}, ${count} endpoints, ${weights} weights`, () => {
        for (let i = 0; i < PICKS; i += 1) balancer.pick(requests[i & 255] as BalanceRequest);
      });
    }
  }
}

await bench.run();
console.table(
  bench.tasks.map(({ name, result }) => ({
    pick: name,
    'ns per pick': 'latency' in result ? Number(((result.latency.p50 * 1e6) / PICKS).toFixed(1)) : Number.NaN,
  })),
);
