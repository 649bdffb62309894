import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { createCursor } from '../../../src/upstream/balance/balancer.ts';
import type { BalanceMethod } from '../../../src/upstream/balance/balancing.ts';
import { type Endpoint, isAvailable } from '../../../src/upstream/endpoint.ts';
import { endpointsOf, type Picker, pickerOf, setHealth } from './endpoints.ts';

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
});

describe.each(METHODS)('%s', (_, method) => {
  test('picks an available endpoint that was not tried whenever there is one, and nothing else', () => {
    fc.assert(
      fc.property(fc.array(poolMember, { minLength: 1, maxLength: 8 }), fc.nat(100), (members, start) => {
        const endpoints = endpointsOf(members.map((member) => member.weight));
        const tried = endpoints.filter((endpoint, index) => {
          setHealth(endpoint, members[index]?.up ?? true);
          endpoint.live.standing = members[index]?.drained ? 'draining' : 'enabled';
          endpoint.live.inFlight = members[index]?.inFlight ?? 0;
          return members[index]?.tried;
        });
        const candidates = endpoints.filter((endpoint) => isAvailable(endpoint) && !tried.includes(endpoint));
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
