import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { endpointsOf, pickerOf, setHealth } from './endpoints.ts';

const SEED = 20_260_101;
const BY_CLIENT = { hash: 'client', load: null } as const;
const weightsOf = (min: number) => fc.array(fc.integer({ min, max: 9 }), { minLength: 2, maxLength: 12 });
const clients = Array.from({ length: 200 }, (_, index) =>
  index % 2 === 0 ? `198.51.100.${index}` : `2001:db8::${index.toString(16)}`,
);

function owners(endpoints: readonly Endpoint[], addresses: readonly string[] = clients): (string | undefined)[] {
  const subject = pickerOf(BY_CLIENT, endpoints);
  return addresses.map((clientAddress) => subject.pick({ clientAddress })?.id);
}

function addressesOf(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `10.${index >> 16}.${(index >> 8) & 255}.${index & 255}`);
}

describe('consistent hashing', () => {
  test('a key keeps its endpoint, and the order of the list does not matter', () => {
    fc.assert(
      fc.property(weightsOf(1), (weights) => {
        const endpoints = endpointsOf(weights);
        expect(owners(endpoints.toReversed())).toEqual(owners(endpoints));
      }),
      { seed: SEED },
    );
  });

  test('removing one endpoint moves its own keys and no others', () => {
    fc.assert(
      fc.property(weightsOf(1), fc.nat(), (weights, pick) => {
        const endpoints = endpointsOf(weights);
        const gone = endpoints[pick % endpoints.length];
        const before = owners(endpoints);
        const after = owners(endpoints.filter((endpoint) => endpoint !== gone));
        for (const [index, owner] of before.entries()) {
          if (owner === gone?.id) expect(after[index]).not.toBe(owner);
          else expect(after[index]).toBe(owner);
        }
      }),
      { seed: SEED },
    );
  });

  test.each([2, 5, 20, 100])('removing or adding one of %d equal endpoints moves one of as many keys', (size) => {
    const keys = addressesOf(20_000);
    const endpoints = endpointsOf(new Array<number>(size).fill(1));
    const all = owners(endpoints, keys);
    const without = owners(endpoints.slice(1), keys);
    const moved = all.filter((owner, index) => owner !== without[index]).length / keys.length;
    // ε: of a fair draw over the keys, and of another one over the slots of the table.
    const deviation = Math.sqrt((1 / size) * (1 - 1 / size) * (1 / keys.length + 1 / 65_536));
    expect(Math.abs(moved - 1 / size)).toBeLessThan(4.5 * deviation);
  });

  test('the keys of an endpoint that leaves go to all others by their weights', () => {
    const keys = addressesOf(40_000);
    const endpoints = endpointsOf([4, 1, 1, 2]);
    const before = owners(endpoints, keys);
    const after = owners(endpoints.slice(1), keys).filter((_, index) => before[index] === endpoints[0]?.id);
    for (const [endpoint, share] of [
      [endpoints[1], 1 / 4],
      [endpoints[2], 1 / 4],
      [endpoints[3], 1 / 2],
    ] as const) {
      const count = after.filter((owner) => owner === endpoint?.id).length;
      const deviation = Math.sqrt(share * (1 - share) * (1 / after.length + 1 / 32_768));
      expect(Math.abs(count / after.length - share)).toBeLessThan(4.5 * deviation);
    }
  });

  test('an endpoint that is down is as good as removed, and gets its keys back', () => {
    const endpoints = endpointsOf([1, 2, 3, 4]);
    const before = owners(endpoints);
    setHealth(endpoints[3], false);
    expect(owners(endpoints)).toEqual(owners(endpoints.slice(0, 3)));
    setHealth(endpoints[3], true);
    expect(owners(endpoints)).toEqual(before);
  });

  test('a higher weight only draws keys to that endpoint', () => {
    fc.assert(
      fc.property(weightsOf(1), fc.nat(), (weights, pick) => {
        const raised = pick % weights.length;
        const before = owners(endpointsOf(weights));
        const endpoints = endpointsOf(weights.map((weight, index) => (index === raised ? weight + 3 : weight)));
        for (const [index, owner] of owners(endpoints).entries()) {
          if (owner !== before[index]) expect(owner).toBe(endpoints[raised]?.id);
        }
      }),
      { seed: SEED },
    );
  });

  test('keys are spread by weight, over neighbouring addresses too', () => {
    const weights = [1, 1, 2, 4];
    const endpoints = endpointsOf(weights);
    const counts = [0, 0, 0, 0];
    for (const owner of owners(endpoints, addressesOf(16_000))) {
      const at = endpoints.findIndex(({ id }) => id === owner);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const [index, weight] of weights.entries()) {
      const expected = (16_000 * weight) / 8;
      expect(Math.abs((counts[index] as number) - expected)).toBeLessThan(4.5 * Math.sqrt(expected));
    }
  });

  test.each([
    ['that was tried', (endpoint: Endpoint) => ({ tried: [endpoint] })],
    [
      'at its limit',
      (endpoint: Endpoint) => {
        endpoint.live.limit = 0;
        return {};
      },
    ],
  ])('a key of an endpoint %s goes where it would go without that endpoint', (_, passOver) => {
    for (const clientAddress of clients) {
      const endpoints = endpointsOf([1, 2, 1, 1]);
      const first = pickerOf(BY_CLIENT, endpoints).pick({ clientAddress }) as Endpoint;
      const others = endpoints.filter((endpoint) => endpoint !== first);
      const without = pickerOf(BY_CLIENT, others).pick({ clientAddress });
      expect(pickerOf(BY_CLIENT, endpoints).pick({ clientAddress, ...passOver(first) })).toBe(without);
    }
  });
});

describe('with a bounded load', () => {
  const member = fc.record({ weight: fc.integer({ min: 1, max: 9 }), inFlight: fc.nat(20) });

  test('nobody gets a request that would be more than the factor times its share, rounded up', () => {
    fc.assert(
      fc.property(
        fc.array(member, { minLength: 1, maxLength: 10 }),
        fc.double({ min: 1, max: 3, noNaN: true }),
        fc.array(fc.nat(1_000), { minLength: 1, maxLength: 60 }),
        (members, load, keys) => {
          const endpoints = endpointsOf(members.map(({ weight }) => weight));
          for (const [index, { live }] of endpoints.entries()) live.inFlight = members[index]?.inFlight ?? 0;
          const subject = pickerOf({ hash: 'client', load }, endpoints);
          const weights = members.reduce((sum, { weight }) => sum + weight, 0);
          for (const key of keys) {
            const { live, weight } = subject.pick({ clientAddress: `client ${key}` }) as Endpoint;
            live.inFlight += 1;
            const inFlight = endpoints.reduce((sum, endpoint) => sum + endpoint.live.inFlight, 0);
            // The same product in another order may end a crumb below a whole number.
            expect(live.inFlight).toBeLessThanOrEqual(Math.ceil((load * inFlight * weight) / weights + 1e-9));
          }
        },
      ),
      { seed: SEED },
    );
  });

  test('a key that everybody asks for is spread over as many as it takes', () => {
    const endpoints = endpointsOf([1, 1, 1, 1, 1]);
    const subject = pickerOf({ hash: 'client', load: 1.25 }, endpoints);
    for (let i = 0; i < 100; i += 1) {
      const endpoint = subject.pick({ clientAddress: 'everybody' }) as Endpoint;
      endpoint.live.inFlight += 1;
    }
    expect(Math.max(...endpoints.map(({ live }) => live.inFlight))).toBe(25);
  });

  test('idle, keys stay where they are without a bound', () => {
    const endpoints = endpointsOf([1, 2, 3]);
    const bounded = pickerOf({ hash: 'client', load: 1.25 }, endpoints);
    expect(clients.map((clientAddress) => bounded.pick({ clientAddress })?.id)).toEqual(owners(endpoints));
  });

  test('who is over the bound is better than nobody', () => {
    const endpoints = endpointsOf([1, 1]);
    const [first, second] = endpoints as readonly [Endpoint, Endpoint];
    first.live.inFlight = 50;
    expect(pickerOf({ hash: 'client', load: 1 }, endpoints).pick({ tried: [second] })).toBe(first);
  });
});
