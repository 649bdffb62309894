import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError } from '../../../src/errors.ts';
import { createCursor } from '../../../src/upstream/balance/balancer.ts';
import { type BalanceMethod, balancingOf } from '../../../src/upstream/balance/balancing.ts';
import { type Endpoint, isAvailable } from '../../../src/upstream/endpoint.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { balanceState, endpointsOf, type Picker, pickerOf, poolOf, setHealth } from './endpoints.ts';

const METHODS: readonly (readonly [name: string, method: BalanceMethod])[] = [
  ['round-robin', 'round-robin'],
  ['least-connections', 'least-connections'],
  ['random', 'random'],
  ['two-choices', 'two-choices'],
  ['ewma', 'ewma'],
  ['source-ip', { hash: 'client', load: null }],
  ['hash with a bound', { hash: 'client', load: 1.25 }],
  ['hash without a key', { hash: { header: 'X-None' }, load: null }],
];
const CLIENT = {};

function balancer(method: BalanceMethod, endpoints: readonly Endpoint[], cursor = createCursor()): Picker {
  return pickerOf(method, endpoints, { cursor });
}

function address(index: number): string {
  return `192.${(index >> 16) & 255}.${(index >> 8) & 255}.${index & 255}`;
}

/** Picks of `count` requests from as many addresses, as positions in `endpoints`; -1 for none. */
function picks(from: Picker, endpoints: readonly Endpoint[], count: number): number[] {
  return Array.from({ length: count }, (_, index) => {
    const picked = from.pick({ clientAddress: address(index) });
    return picked === null ? -1 : endpoints.indexOf(picked);
  });
}

function tally(positions: readonly number[], size: number): number[] {
  const counts = new Array<number>(size).fill(0);
  for (const position of positions) counts[position] = (counts[position] ?? 0) + 1;
  return counts;
}

function letters(positions: readonly number[]): string {
  return positions.map((position) => 'abcdefgh'[position]).join('');
}

/** Largest distance of a tally from the weights' shares, in standard deviations of a fair draw. */
function worstDeviation(counts: readonly number[], weights: readonly number[]): number {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weight = weights.reduce((sum, each) => sum + each, 0);
  return Math.max(
    ...counts.map((count, index) => {
      const share = (weights[index] as number) / weight;
      if (share === 0) return count === 0 ? 0 : Number.POSITIVE_INFINITY;
      return Math.abs(count - total * share) / Math.sqrt(Math.max(1, total * share * (1 - share)));
    }),
  );
}

const poolMember = fc.record({
  weight: fc.integer({ min: 0, max: 5 }),
  up: fc.boolean(),
  drained: fc.boolean(),
  tried: fc.boolean(),
  inFlight: fc.integer({ min: 0, max: 5 }),
  full: fc.boolean(),
  byHand: fc.constantFrom(null, null, 0, 2),
  ramp: fc.constantFrom(1, 1, 0.1),
});

/** Weights, and what was changed of them while they were in use. */
const WEIGHTED = METHODS.filter(([name]) => !['least-connections', 'hash with a bound'].includes(name));

function refused(): GatewayError {
  return new GatewayError('connection_refused', { blame: 'upstream', status: 502, reason: 'connection-refused' });
}

describe.each(METHODS)('%s', (_, method) => {
  test('picks an available endpoint below its limit that was not tried whenever there is one, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(poolMember, { minLength: 1, maxLength: 8 }), fc.nat(100), (members, start) => {
        const endpoints = endpointsOf(members.map((member) => member.weight));
        const tried = endpoints.filter((endpoint, index) => {
          setHealth(endpoint, members[index]?.up ?? true);
          endpoint.live.standing = members[index]?.drained ? 'draining' : 'enabled';
          endpoint.live.inFlight = members[index]?.inFlight ?? 0;
          endpoint.live.limit = members[index]?.full ? endpoint.live.inFlight : Number.POSITIVE_INFINITY;
          endpoint.live.weight = members[index]?.byHand ?? null;
          endpoint.live.ramp = members[index]?.ramp ?? 1;
          return members[index]?.tried;
        });
        const candidates = endpoints.filter(
          (endpoint) =>
            isAvailable(endpoint) && !tried.includes(endpoint) && endpoint.live.inFlight < endpoint.live.limit,
        );
        const subject = balancer(method, endpoints, { next: start });
        for (let i = 0; i < 20; i += 1) {
          const picked = subject.pick({ clientAddress: address(i), tried });
          if (candidates.length === 0) expect(picked).toBeNull();
          else expect(candidates).toContain(picked);
        }
      }),
    );
  });

  test('spreads over equal endpoints evenly', () => {
    const endpoints = endpointsOf([1, 1, 1, 1, 1]);
    const counts = tally(picks(balancer(method, endpoints), endpoints, 20_000), 5);
    expect(worstDeviation(counts, [1, 1, 1, 1, 1])).toBeLessThan(4.5);
  });

  test('an endpoint that is down, drained, or of weight 0 leaves its share to all others alike', () => {
    const endpoints = endpointsOf([1, 1, 1, 1, 0, 1]);
    setHealth(endpoints[1], false);
    (endpoints[2] as Endpoint).live.standing = 'draining';
    const counts = tally(picks(balancer(method, endpoints), endpoints, 12_000), 6);
    expect(worstDeviation(counts, [1, 0, 0, 1, 0, 1])).toBeLessThan(4.5);
  });
});

describe.each(WEIGHTED)('%s', (_, method) => {
  test.each([
    ['by configuration', [1, 2, 3, 4], () => {}],
    [
      'by hand, at once',
      [4, 2, 3, 0],
      ([first, , , last]: readonly Endpoint[]) => {
        if (first !== undefined) first.live.weight = 4;
        if (last !== undefined) last.live.weight = 0;
      },
    ],
    [
      'of a slow start',
      [1, 2, 0.3, 4],
      ([, , third]: readonly Endpoint[]) => {
        if (third !== undefined) third.live.ramp = 0.1;
      },
    ],
  ])('idle endpoints get traffic in proportion to their weights %s', (_name, weights, change) => {
    const endpoints = endpointsOf([1, 2, 3, 4]);
    const subject = balancer(method, endpoints);
    picks(subject, endpoints, 100);
    change(endpoints);
    const counts = tally(picks(subject, endpoints, 20_000), 4);
    // Keys are drawn twice: into slots, and the slots for the endpoints.
    expect(worstDeviation(counts, weights)).toBeLessThan(typeof method === 'object' ? 5 : 4.5);
  });
});

describe('round-robin', () => {
  test('takes turns, and the turn survives a reload', () => {
    const endpoints = endpointsOf([1, 1, 1]);
    const cursor = createCursor();
    expect(letters(picks(balancer('round-robin', endpoints, cursor), endpoints, 4))).toBe('abca');
    expect(letters(picks(balancer('round-robin', endpoints, cursor), endpoints, 4))).toBe('bcab');
  });

  test('goes on from the first when a reload left fewer endpoints than the turn had reached', () => {
    const endpoints = endpointsOf([1, 1]);
    expect(letters(picks(balancer('round-robin', endpoints, { next: 7 }), endpoints, 3))).toBe('aba');
  });

  test('weights 5, 1, 1 give a smooth sequence, as nginx does', () => {
    const endpoints = endpointsOf([5, 1, 1]);
    expect(letters(picks(balancer('round-robin', endpoints), endpoints, 14))).toBe('aabacaaaabacaa');
  });

  test('every sum-of-weights picks in a row hold exactly the weights', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 7 }),
        fc.nat(40),
        (weights, from) => {
          const sum = weights.reduce((total, weight) => total + weight, 0);
          const endpoints = endpointsOf(weights);
          const all = picks(balancer('round-robin', endpoints), endpoints, from + sum);
          if (sum > 0) expect(tally(all.slice(from), weights.length)).toEqual(weights);
        },
      ),
    );
  });

  test('who comes back after an absence has nothing to catch up on', () => {
    const endpoints = endpointsOf([2, 1, 1]);
    const subject = balancer('round-robin', endpoints);
    picks(subject, endpoints, 4);
    setHealth(endpoints[1], false);
    picks(subject, endpoints, 300);
    setHealth(endpoints[1], true);
    expect(tally(picks(subject, endpoints, 4), 3)).toEqual([2, 1, 1]);
  });
});

describe('least-connections', () => {
  test('picks the endpoint that would be the least loaded for its weight with this request', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 9 }), fc.nat(50)), { minLength: 1, maxLength: 8 }),
        (members) => {
          const endpoints = endpointsOf(members.map(([weight]) => weight));
          for (const [index, endpoint] of endpoints.entries()) endpoint.live.inFlight = members[index]?.[1] ?? 0;
          const load = (endpoint: Endpoint) => (endpoint.live.inFlight + 1) / endpoint.weight;
          const picked = balancer('least-connections', endpoints).pick(CLIENT);
          expect(picked).not.toBeNull();
          expect(load(picked as Endpoint)).toBeCloseTo(Math.min(...endpoints.map(load)), 9);
        },
      ),
    );
  });

  test('fills endpoints in proportion to their weights', () => {
    const endpoints = endpointsOf([3, 2, 1]);
    const subject = balancer('least-connections', endpoints);
    for (let i = 0; i < 60; i += 1) {
      const picked = subject.pick(CLIENT);
      if (picked !== null) picked.live.inFlight += 1;
    }
    expect(endpoints.map((endpoint) => endpoint.live.inFlight)).toEqual([30, 20, 10]);
  });

  test('an idle pool takes turns', () => {
    const endpoints = endpointsOf([1, 1, 1]);
    expect(letters(picks(balancer('least-connections', endpoints), endpoints, 6))).toBe('abcabc');
  });
});

describe('two-choices', () => {
  test('of two endpoints the one with fewer in flight for its weight', () => {
    const endpoints = endpointsOf([1, 3]);
    const [first, second] = endpoints as readonly [Endpoint, Endpoint];
    const subject = balancer('two-choices', endpoints);
    first.live.inFlight = 2;
    second.live.inFlight = 5;
    expect(new Set(picks(subject, endpoints, 200))).toEqual(new Set([1]));
    second.live.inFlight = 7;
    expect(new Set(picks(subject, endpoints, 200))).toEqual(new Set([0]));
  });

  test('loads endpoints much more evenly than chance', () => {
    const load = (method: BalanceMethod): number => {
      const endpoints = endpointsOf(new Array<number>(50).fill(1));
      const subject = balancer(method, endpoints);
      for (let i = 0; i < 5_000; i += 1) (subject.pick({}) as Endpoint).live.inFlight += 1;
      return Math.max(...endpoints.map(({ live }) => live.inFlight));
    };
    expect(load('two-choices')).toBeLessThanOrEqual(104);
    expect(load('random')).toBeGreaterThan(115);
  });
});

describe('ewma', () => {
  const clock = new ManualClock();

  test('an endpoint that is three times as slow gets the request only when the other has three times as many', () => {
    const endpoints = endpointsOf([1, 1]);
    const [fast, slow] = endpoints as readonly [Endpoint, Endpoint];
    const subject = pickerOf('ewma', endpoints, { clock });
    fast.live.latency.observe(10, clock.monotonic());
    slow.live.latency.observe(31, clock.monotonic());
    fast.live.inFlight = 2;
    expect(new Set(picks(subject, endpoints, 50))).toEqual(new Set([0]));
    fast.live.inFlight = 3;
    expect(new Set(picks(subject, endpoints, 50))).toEqual(new Set([1]));
  });

  test('an endpoint that never answered gets one request, and no second before its answer', () => {
    const endpoints = endpointsOf([1, 1]);
    const [known, unknown] = endpoints as readonly [Endpoint, Endpoint];
    const subject = pickerOf('ewma', endpoints, { clock });
    known.live.latency.observe(500, clock.monotonic());
    known.live.inFlight = 20;
    expect(subject.pick({})).toBe(unknown);
    unknown.live.inFlight = 1;
    expect(new Set(picks(subject, endpoints, 50))).toEqual(new Set([0]));
  });

  test('learns from the attempts of its pool: failures and errors draw no requests, however fast', () => {
    const endpoints = endpointsOf([1, 1]);
    const [good, bad] = endpoints as readonly [Endpoint, Endpoint];
    const pool = poolOf(endpoints, { balancing: balancingOf('ewma', balanceState({ clock })) });
    const attempt = { serial: 1, status: 200 };
    pool.answered(good, 20, attempt);
    pool.answered(bad, 20, attempt);
    clock.advance(1_000);
    pool.answered(good, 20, attempt);
    pool.answered(bad, 1, { serial: 2, status: 503 });
    expect(bad.live.latency.at(clock.monotonic())).toBeCloseTo(20 * Math.exp(-0.1), 9);
    pool.failed(bad, refused(), attempt);
    expect(bad.live.latency.at(clock.monotonic())).toBe(1_000);
    expect(pool.pick({ clientAddress: '192.0.2.1', facts: null, session: null, tried: null })).toBe(good);
  });
});

describe('random', () => {
  test('draws in proportion to the weights, also among the few that are left', () => {
    const weights = [1, 2, 3, 4, 10];
    const endpoints = endpointsOf(weights);
    const subject = balancer('random', endpoints);
    expect(worstDeviation(tally(picks(subject, endpoints, 20_000), 5), weights)).toBeLessThan(4.5);
    setHealth(endpoints[4], false);
    expect(worstDeviation(tally(picks(subject, endpoints, 20_000), 5), [1, 2, 3, 4, 0])).toBeLessThan(4.5);
  });

  test.each([0, 0.25, 0.5, 1 - 2 ** -53])('a draw of %d stays inside the pool', (draw) => {
    const endpoints = endpointsOf([0, 3, 0, 2, 0]);
    const subject = pickerOf('random', endpoints, { random: () => draw });
    const first = subject.pick(CLIENT) as Endpoint;
    const second = subject.pick({ ...CLIENT, tried: [first] });
    expect([first.weight, second?.weight].sort()).toEqual([2, 3]);
  });
});
