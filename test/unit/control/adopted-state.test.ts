import { expect, test } from 'vitest';
import { configFromObject } from '../../../src/config/load.ts';
import type { ConfigInput } from '../../../src/config/schema/config.ts';
import { compile, inUseOf } from '../../../src/control/compile.ts';
import { sharedCache } from '../../../src/control/compile-cache.ts';
import { Control } from '../../../src/control/control.ts';
import { Ledger } from '../../../src/control/ledger.ts';
import { GatewayError } from '../../../src/errors.ts';
import { nextSerial } from '../../../src/upstream/attempt-watcher.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { Prober } from '../../../src/upstream/health/prober.ts';
import type { Pool } from '../../../src/upstream/pool.ts';
import { Revision } from '../../../src/upstream/revision.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const COOKIE = ['Cookie', 'JSESSIONID=abc'];

/** One ledger, and configurations one after the other, as reloads bring them. */
function reloading() {
  const observer = { event: () => {}, checked: () => {} };
  const clock = new ManualClock();
  const upstream = { clock, random: () => 0, observer, revision: new Revision() };
  const prober = new Prober({ sender: { probe: () => ({ cancel: () => {} }) }, ...upstream });
  const ledger = new Ledger(prober, upstream);
  let pools: ReadonlyMap<string, Pool> = new Map();
  const load = (endpoints: readonly string[], more: object = {}): Pool => {
    const input: ConfigInput = {
      listeners: { web: { port: 0 } },
      pools: { shop: { endpoints: [...endpoints], affinity: { learn: 'JSESSIONID' }, ...more } },
      routes: [{ pool: 'shop' }],
    };
    const loaded = configFromObject(input);
    if (!loaded.ok) throw new Error(loaded.diagnostics[0]?.message);
    const cache = sharedCache(loaded.config.cache);
    const compiled = compile({ ...loaded, ledger, cache, development: false, tolerance: 'start' });
    if (!compiled.ok) throw new Error(compiled.diagnostics[0]?.message);
    pools = compiled.snapshot.pools;
    ledger.retain(inUseOf(compiled.snapshot, loaded.config));
    return pools.get('shop') as Pool;
  };
  return { load, clock, control: new Control({ pools: () => pools, observer }) };
}

function standings(pool: Pool): string[] {
  return pool.endpoints.map(({ authority, live }) => `${authority} ${live.standing} ${live.weight}`);
}

test('what was set by hand outlives a reload, whatever else that changes', () => {
  const { load, control } = reloading();
  load(['10.0.0.1:1', '10.0.0.2:1']);
  control.drain('shop', '10.0.0.1:1');
  control.setWeight('shop', '10.0.0.2:1', 7);
  const after = load(['10.0.0.3:1', '10.0.0.2:1', '10.0.0.1:1'], { balance: 'least-connections' });
  expect(standings(after)).toEqual(['10.0.0.3:1 enabled null', '10.0.0.2:1 enabled 7', '10.0.0.1:1 draining null']);
  expect(control.enable('shop', '10.0.0.1:1')).toMatchObject({ ok: true, changed: true });
});

test('of an endpoint that left the configuration it is forgotten', () => {
  const { load, control } = reloading();
  load(['10.0.0.1:1', '10.0.0.2:1']);
  control.disable('shop', '10.0.0.1:1');
  load(['10.0.0.2:1']);
  expect(standings(load(['10.0.0.1:1', '10.0.0.2:1']))).toEqual(['10.0.0.1:1 enabled null', '10.0.0.2:1 enabled null']);
});

test('sessions that a pool has learned outlive a reload, and those of an endpoint that left are none', () => {
  const { load } = reloading();
  const learn = (pool: Pool, at: number): void => {
    const answer = { session: null, headers: ['Set-Cookie', 'JSESSIONID=abc'], overTls: false };
    const endpoint = pool.endpoints[at];
    if (endpoint !== undefined) pool.affinity?.answered(endpoint, answer);
  };
  const heldIn = (pool: Pool): string | undefined => {
    const session = pool.affinity?.sessionOf(COOKIE) ?? '';
    return pool.affinity?.pick(session, null, false)?.authority;
  };
  const before = load(['10.0.0.1:1', '10.0.0.2:1']);
  learn(before, 1);
  expect(heldIn(load(['10.0.0.2:1', '10.0.0.1:1'], { affinity: { learn: 'JSESSIONID', idle: '1h' } }))).toBe(
    '10.0.0.2:1',
  );
  expect(heldIn(load(['10.0.0.1:1']))).toBeUndefined();
});

/** One attempt at the first endpoint that nothing came back from. */
function fail(pool: Pool): void {
  const [endpoint] = pool.endpoints;
  if (endpoint === undefined) return;
  const attempt = { serial: nextSerial(), status: 0 };
  pool.began(endpoint, attempt);
  pool.failed(
    endpoint,
    new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'x' }),
    attempt,
  );
  pool.ended(endpoint, attempt);
}

test('breakers that have tripped stay so over a reload, with new thresholds too, and are gone with their configuration', () => {
  const { load } = reloading();
  const before = load(['10.0.0.1:1', '10.0.0.2:1'], { breaker: { scope: 'both', consecutive: 2 } });
  fail(before);
  fail(before);
  const after = load(['10.0.0.2:1', '10.0.0.1:1'], { breaker: { scope: 'both', consecutive: 5 } });
  expect([after.breaker?.state, after.endpoints.map(({ live }) => live.tripped)]).toEqual(['tripped', [false, true]]);
  const ofEndpoints = load(['10.0.0.1:1', '10.0.0.2:1'], { breaker: { scope: 'endpoint' } });
  expect([ofEndpoints.breaker, ofEndpoints.endpoints.map(({ live }) => live.tripped)]).toEqual([null, [true, false]]);
  const without = load(['10.0.0.1:1', '10.0.0.2:1']);
  expect([without.breaker, without.availableCount()]).toEqual([null, 2]);
});

test('what failed before a reload counts with what fails after it', () => {
  const { load } = reloading();
  fail(load(['10.0.0.1:1'], { breaker: { consecutive: 2 } }));
  const after = load(['10.0.0.1:1'], { breaker: { consecutive: 2, open: '9s' } });
  fail(after);
  expect(after.breaker?.state).toBe('tripped');
});

test('what is under way while breakers and passive health leave the configuration puts nobody aside any more', () => {
  const { load, clock } = reloading();
  const before = load(['10.0.0.1:1', '10.0.0.2:1'], {
    breaker: { scope: 'endpoint', consecutive: 1 },
    outliers: { consecutive: 1 },
  });
  const [endpoint] = before.endpoints as [Endpoint];
  const attempt = { serial: nextSerial(), status: 0 };
  before.began(endpoint, attempt);
  const after = load(['10.0.0.1:1', '10.0.0.2:1']);
  const refused = { blame: 'upstream', status: 502, reason: 'x' } as const;
  before.failed(endpoint, new GatewayError('connection_refused', refused), attempt);
  before.ended(endpoint, attempt);
  expect([after.availableCount(), clock.pending]).toEqual([2, 0]);
});

test('an endpoint that leaves while an attempt is under way there gets no breaker and no timer by it', () => {
  const { load, clock } = reloading();
  const pool = load(['10.0.0.1:1', '10.0.0.2:1'], {
    breaker: { scope: 'endpoint', consecutive: 1 },
    outliers: { consecutive: 1 },
  });
  const [endpoint] = pool.endpoints as [Endpoint];
  const attempt = { serial: nextSerial(), status: 0 };
  pool.began(endpoint, attempt);
  load(['10.0.0.2:1'], { breaker: { scope: 'endpoint', consecutive: 1 }, outliers: { consecutive: 1 } });
  const refused = { blame: 'upstream', status: 502, reason: 'x' } as const;
  pool.failed(endpoint, new GatewayError('connection_refused', refused), attempt);
  pool.ended(endpoint, attempt);
  expect([endpoint.live.breaker, endpoint.live.outlier, clock.pending]).toEqual([null, null, 0]);
});
