import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type BalanceMethod, balancingOf } from '../../../src/upstream/balance/balancing.ts';
import { isPanic, tierShares } from '../../../src/upstream/balance/shares.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';
import { PoolLive } from '../../../src/upstream/pool-live.ts';
import { balanceState, endpointsOf, poolOf, setHealth } from './endpoints.ts';

const SEED = 20_260_101;
const CLIENT = { clientAddress: '192.0.2.1', facts: null, session: null, tried: null };

/** So many endpoints of priority 0, 1, … */
function tiered(...sizes: readonly number[]): readonly Endpoint[] {
  const priorities = sizes.flatMap((size, priority) => new Array<number>(size).fill(priority));
  return endpointsOf(priorities.map(() => 1)).map((endpoint, index) => ({
    ...endpoint,
    priority: priorities[index] as number,
  }));
}

function stageOf(sizes: readonly number[], options: { enough?: number; panic?: number; method?: BalanceMethod } = {}) {
  const { enough = 0.7, panic = 0, method = 'random' } = options;
  const endpoints = tiered(...sizes);
  const events: UpstreamEvent[] = [];
  const live = new PoolLive();
  const pool = poolOf(endpoints, {
    balancing: balancingOf(method, balanceState({ cursor: live })),
    failover: { enough, panic },
    live,
    observer: { event: (event) => void events.push(event) },
  });
  return { pool, endpoints, events, live, down: (...at: readonly number[]) => setAll(endpoints, at, false) };
}

function setAll(endpoints: readonly Endpoint[], positions: readonly number[], up: boolean): void {
  for (const position of positions) setHealth(endpoints[position], up);
}

function share(pool: ReturnType<typeof poolOf>, priority: number, requests = 20_000): number {
  let count = 0;
  for (let i = 0; i < requests; i += 1) {
    if (pool.pick({ ...CLIENT, clientAddress: `10.0.${i >> 8}.${i & 255}` })?.priority === priority) count += 1;
  }
  return count / requests;
}

describe('shares of the priorities', () => {
  test.each([
    [[10, 10], [10, 10], 0.7, [1, 0]],
    [[7, 10], [10, 10], 0.7, [1, 0]],
    [[5, 10], [10, 10], 0.7, [5 / 7, 2 / 7]],
    [[5, 4], [10, 10], 0.5, [1, 0]],
    [[7, 4], [20, 20], 0.7, [0.5 / 0.7857142857142857, 0.2 / 0.7 / 0.7857142857142857]],
    [[0, 1], [10, 10], 0.7, [0, 1]],
    [[1, 10], [10, 10], 0, [1, 0]],
    [[0, 1, 1], [3, 3, 3], 0, [0, 1, 0]],
    [[5, 2, 10], [10, 10, 10], 1, [0.5, 0.2, 0.3]],
    [[0, 0], [10, 10], 0.7, [0, 0]],
  ])('%j healthy of %j, enough being %d: %j', (healthy, inService, enough, expected) => {
    const tiers = healthy.map((count, index) => ({ healthy: count, inService: inService[index] as number }));
    const shares = tierShares(tiers, enough);
    for (const [index, each] of shares.entries()) expect(each).toBeCloseTo(expected[index] as number, 9);
  });

  const tier = fc
    .tuple(fc.integer({ min: 1, max: 20 }), fc.nat(20))
    .map(([inService, healthy]) => ({ inService, healthy: Math.min(healthy, inService) }));

  test('add up to everything while anybody is healthy, and no tier without a healthy endpoint gets any', () => {
    fc.assert(
      fc.property(
        fc.array(tier, { minLength: 1, maxLength: 5 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (tiers, enough) => {
          const shares = tierShares(tiers, enough);
          const anybody = tiers.some(({ healthy }) => healthy > 0);
          expect(shares.reduce((sum, each) => sum + each, 0)).toBeCloseTo(anybody ? 1 : 0, 9);
          for (const [index, each] of shares.entries()) if (tiers[index]?.healthy === 0) expect(each).toBe(0);
        },
      ),
      { seed: SEED },
    );
  });

  test('an endpoint that fails never gives its own tier more, nor an earlier one', () => {
    fc.assert(
      fc.property(fc.array(tier, { minLength: 2, maxLength: 4 }), fc.nat(), (tiers, pick) => {
        const at = pick % tiers.length;
        const before = tierShares(tiers, 0.7);
        const fewer = tiers.map((each, index) =>
          index === at ? { ...each, healthy: Math.max(0, each.healthy - 1) } : each,
        );
        const able = fewer.reduce((sum, { healthy, inService }) => sum + Math.min(1, healthy / inService / 0.7), 0);
        const after = tierShares(fewer, 0.7);
        expect(after[at]).toBeLessThanOrEqual((before[at] as number) + 1e-9);
        // Unless together they can't take everything any more: then all of them stretch.
        if (able >= 1)
          for (let i = 0; i < at; i += 1) expect(after[i]).toBeLessThanOrEqual((before[i] as number) + 1e-9);
      }),
      { seed: SEED },
    );
  });
});

describe('a pool with priorities', () => {
  test.each(['random', 'ewma', 'round-robin', { hash: 'client', load: null }] satisfies BalanceMethod[])(
    'spills over by the share of healthy endpoints, and comes back (%j)',
    (method) => {
      const { pool, endpoints, down } = stageOf([10, 4], { method });
      expect(share(pool, 0, 1_000)).toBe(1);
      down(0, 1, 2);
      expect(share(pool, 0, 1_000)).toBe(1);
      down(3, 4);
      expect(pool.tiers.map((each) => each.share)).toEqual([expect.closeTo(5 / 7, 9), expect.closeTo(2 / 7, 9)]);
      expect(share(pool, 0)).toBeCloseTo(5 / 7, 1);
      down(5, 6, 7, 8, 9);
      expect(share(pool, 1, 1_000)).toBe(1);
      setAll(endpoints, [0, 1, 2, 3, 4, 5, 6, 7], true);
      expect(share(pool, 0, 1_000)).toBe(1);
    },
  );

  test('with hashing the same keys spill over', () => {
    const { pool, down } = stageOf([10, 4], { method: { hash: 'client', load: null } });
    down(0, 1, 2, 3, 4);
    for (let i = 0; i < 200; i += 1) {
      const request = { ...CLIENT, clientAddress: `client ${i}` };
      expect(pool.pick(request)).toBe(pool.pick(request));
    }
  });

  test('healthy: 0% makes backups that get nothing while any other endpoint is healthy', () => {
    const { pool, down } = stageOf([3, 1], { enough: 0 });
    down(0, 1);
    expect(share(pool, 0, 1_000)).toBe(1);
    down(2);
    expect(share(pool, 1, 1_000)).toBe(1);
  });

  test('who is taken out by hand, or has weight 0, does not count', () => {
    const { pool, endpoints } = stageOf([3, 1]);
    const [first, second, third] = endpoints as readonly [Endpoint, Endpoint, Endpoint];
    first.live.standing = 'disabled';
    second.live.weight = 0;
    expect(pool.tiers).toEqual([
      { priority: 0, inService: 1, healthy: 1, share: 1 },
      { priority: 1, inService: 1, healthy: 1, share: 0 },
    ]);
    third.live.standing = 'draining';
    expect(pool.tiers).toEqual([{ priority: 1, inService: 1, healthy: 1, share: 1 }]);
    expect(share(pool, 1, 100)).toBe(1);
  });

  test('goes on to another priority when all of one are tried or at their limit', () => {
    const { pool, endpoints } = stageOf([2, 1]);
    const [first, second, backup] = endpoints as readonly [Endpoint, Endpoint, Endpoint];
    first.live.limit = 0;
    expect(pool.pick({ ...CLIENT, tried: [second] })).toBe(backup);
    expect(pool.pick({ ...CLIENT, tried: [second, backup] })).toBeNull();
  });

  test('goes to an earlier priority when all of a later one are tried, though that one has the share', () => {
    const { pool, endpoints, down } = stageOf([10, 1]);
    down(0, 1, 2, 3, 4, 5, 6, 7, 8);
    for (let i = 0; i < 100; i += 1) {
      expect(pool.pick({ ...CLIENT, tried: [endpoints[10] as Endpoint] })).toBe(endpoints[9]);
    }
  });
});

describe('a pool in panic', () => {
  test('begins when no priority has the share of healthy endpoints, and never without a threshold', () => {
    expect(isPanic([{ inService: 4, healthy: 2 }], 0.5)).toBe(false);
    expect(isPanic([{ inService: 4, healthy: 1 }], 0.5)).toBe(true);
    expect(isPanic([{ inService: 4, healthy: 0 }], 0)).toBe(false);
    expect(isPanic([], 0.5)).toBe(false);
    const backup = { inService: 1, healthy: 1 };
    expect(isPanic([{ inService: 4, healthy: 0 }, backup], 0.5)).toBe(false);
  });

  test('does not ask for health or priority, but for what is wanted by hand and what breakers say', () => {
    const { pool, endpoints, down } = stageOf([4, 2], { panic: 0.5 });
    down(0, 1, 2, 4, 5);
    const [, ejected, disabled, tripped] = endpoints as readonly [Endpoint, Endpoint, Endpoint, Endpoint];
    ejected.live.ejected = true;
    disabled.live.standing = 'disabled';
    tripped.live.tripped = true;
    expect(pool.panicking).toBe(true);
    const picked = new Set(Array.from({ length: 500 }, () => pool.pick(CLIENT)));
    expect([...picked].map((each) => endpoints.indexOf(each as Endpoint)).sort()).toEqual([0, 1, 4, 5]);
    expect(pool.availableCount()).toBe(4);
  });

  test('is told once when it begins and once when it ends, and a new configuration goes on with it', () => {
    const { pool, endpoints, events, live, down } = stageOf([3], { panic: 0.5 });
    down(0, 1);
    for (let i = 0; i < 3; i += 1) pool.pick(CLIENT);
    expect(events).toEqual([{ kind: 'panic', pool: 'shop', panicking: true, inService: 3, healthy: 1 }]);
    const reloaded = poolOf(endpoints, {
      failover: { enough: 0.7, panic: 0.5 },
      live,
      observer: { event: (event) => void events.push(event) },
    });
    reloaded.pick(CLIENT);
    expect(events).toHaveLength(1);
    setAll(endpoints, [0], true);
    reloaded.pick(CLIENT);
    reloaded.pick(CLIENT);
    expect(events.slice(1)).toEqual([{ kind: 'panic', pool: 'shop', panicking: false, inService: 3, healthy: 2 }]);
  });
});

describe('a pool whose members change', () => {
  test.each([
    'round-robin',
    'least-connections',
    'random',
    'two-choices',
    'ewma',
    { hash: 'client', load: 1.25 },
  ] satisfies BalanceMethod[])('picks among the present ones, and nobody while there are none (%j)', (method) => {
    const { pool } = stageOf([2], { method });
    pool.pick(CLIENT);
    pool.replace([]);
    expect([pool.pick(CLIENT), pool.availableCount(), pool.tiers]).toEqual([null, 0, []]);
    const members = tiered(1, 2);
    pool.replace(members);
    expect(pool.pick(CLIENT)).toBe(members[0]);
    pool.replace(members.slice(1));
    expect(members.slice(1)).toContain(pool.pick(CLIENT));
  });

  test('goes on where its turn was', () => {
    const { pool, endpoints } = stageOf([3], { method: 'round-robin' });
    pool.pick(CLIENT);
    pool.replace(endpoints);
    expect([pool.pick(CLIENT), pool.pick(CLIENT)]).toEqual([endpoints[1], endpoints[2]]);
  });

  test('looks them over again only when something has changed', () => {
    const { pool, endpoints } = stageOf([2], { method: 'round-robin' });
    pool.pick(CLIENT);
    const before = pool.tiers;
    pool.pick(CLIENT);
    expect(pool.tiers).toBe(before);
    setHealth(endpoints[0], false);
    expect(pool.tiers).not.toBe(before);
  });
});
