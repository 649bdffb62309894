import { Bench } from 'tinybench';
import { systemClock } from '../src/clock.ts';
import type { BalanceRequest } from '../src/upstream/balance/balancer.ts';
import { type BalanceMethod, balancingOf } from '../src/upstream/balance/balancing.ts';
import { type Endpoint, placeOf } from '../src/upstream/endpoint.ts';
import { EndpointLive } from '../src/upstream/endpoint-live.ts';
import { ProbeState } from '../src/upstream/health/probe-state.ts';
import { connectionKey, probeId } from '../src/upstream/identity.ts';
import { Pool } from '../src/upstream/pool.ts';
import { PoolLive } from '../src/upstream/pool-live.ts';
import { Revision } from '../src/upstream/revision.ts';

// Time of one `Pool.pick`, all endpoints healthy and checked, with work in flight, as in a busy pool. Run: node bench/balance.ts

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

const methods: Readonly<Record<string, BalanceMethod>> = {
  'round-robin': 'round-robin',
  'least-connections': 'least-connections',
  random: 'random',
  'two-choices': 'two-choices',
  ewma: 'ewma',
  'source-ip': { hash: 'client', load: null },
  'hash: { header }': { hash: { header: 'X-User' }, load: null },
  'hash: { header }, load: 1.25': { hash: { header: 'X-User' }, load: 1.25 },
  'hash: { cookie }': { hash: { cookie: 'sid' }, load: null },
  'hash: { query }': { hash: { query: 'user' }, load: null },
  'hash: uri': { hash: 'uri', load: null },
};

const revision = new Revision();

function endpoints(count: number, weightOf: (index: number) => number): Endpoint[] {
  return Array.from({ length: count }, (_, index) => {
    const address = { secure: false, host: `10.0.${index >> 8}.${index & 255}`, port: 3000 };
    const place = placeOf('bench', { address, tls: { serverName: null, ca: null, insecure: false }, limits });
    const id = probeId(connectionKey(place.origin, { tls: null, proxyProtocol: null }), probe);
    const live = new EndpointLive(revision);
    live.inFlight = (index * 7) % 13;
    live.latency.observe(1 + ((index * 5) % 17), systemClock.monotonic());
    return {
      ...place,
      weight: weightOf(index),
      priority: 0,
      live,
      probe: new ProbeState(id, probe, { revision, nowMs: 0 }),
    };
  });
}

const requests = Array.from({ length: 256 }, (_, index): BalanceRequest & { readonly session: null } => {
  const headers = [
    'Host',
    'bench.test',
    'Accept',
    '*/*',
    'Cookie',
    `theme=dark; sid=${index}-0f3a`,
    'X-User',
    `u${index}`,
  ];
  const request = {
    method: 'GET',
    target: '/',
    authority: 'bench.test',
    scheme: 'http',
    version: '1.1',
    headers,
  } as const;
  const facts = { path: `/users/${index}/cart`, query: `page=2&user=u${index}`, request };
  return { clientAddress: `192.0.2.${index}`, facts, session: null, tried: null };
});

function poolOf(method: BalanceMethod, members: readonly Endpoint[]): Pool {
  const live = new PoolLive();
  return new Pool({
    name: 'bench',
    endpoints: members,
    balancing: balancingOf(method, { cursor: live, random: Math.random, clock: systemClock }),
    failover: { enough: 0.7, panic: 0 },
    live,
    revision,
    observer: { event: () => {} },
    affinity: null,
    hostPolicy: 'preserve',
  });
}

const bench = new Bench({ time: 300, warmupTime: 100 });
for (const [count, weights] of [
  [3, 'equal'],
  [100, 'equal'],
  [100, 'unequal'],
] as const) {
  for (const [name, method] of Object.entries(methods)) {
    const pool = poolOf(method, endpoints(count, weights === 'equal' ? () => 1 : (index) => 1 + (index % 5)));
    bench.add(`${name}, ${count} endpoints, ${weights} weights`, () => {
      for (let i = 0; i < PICKS; i += 1) pool.pick(requests[i & 255] as (typeof requests)[number]);
    });
  }
}

await bench.run();
console.table(
  bench.tasks.map(({ name, result }) => ({
    pick: name,
    'ns per pick': 'latency' in result ? Number(((result.latency.p50 * 1e6) / PICKS).toFixed(1)) : Number.NaN,
  })),
);
