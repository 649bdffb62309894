import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SourceIp } from '../../../src/upstream/balance/source-ip.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import { endpointsOf, setHealth } from './endpoints.ts';

const weightsOf = (min: number) => fc.array(fc.integer({ min, max: 9 }), { minLength: 2, maxLength: 12 });
const clients = Array.from({ length: 200 }, (_, index) =>
  index % 2 === 0 ? `198.51.100.${index}` : `2001:db8::${index.toString(16)}`,
);

function owners(endpoints: readonly Endpoint[]): (string | undefined)[] {
  const subject = new SourceIp(endpoints);
  return clients.map((clientAddress) => subject.pick({ clientAddress, tried: null })?.id);
}

describe('source-ip (rendezvous hashing)', () => {
  test('an address keeps its endpoint, and the order of the list does not matter', () => {
    fc.assert(
      fc.property(weightsOf(1), (weights) => {
        const endpoints = endpointsOf(weights);
        expect(owners(endpoints.toReversed())).toEqual(owners(endpoints));
      }),
    );
  });

  test('removing one endpoint moves its own clients and nobody else', () => {
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
    );
  });

  test('an endpoint that is down is as good as removed, and gets its clients back', () => {
    const endpoints = endpointsOf([1, 2, 3, 4]);
    const before = owners(endpoints);
    setHealth(endpoints[3], false);
    expect(owners(endpoints)).toEqual(owners(endpoints.slice(0, 3)));
    setHealth(endpoints[3], true);
    expect(owners(endpoints)).toEqual(before);
  });

  test('a higher weight only draws clients to that endpoint', () => {
    fc.assert(
      fc.property(weightsOf(1), fc.nat(), (weights, pick) => {
        const raised = pick % weights.length;
        const before = owners(endpointsOf(weights));
        const endpoints = endpointsOf(weights.map((weight, index) => (index === raised ? weight + 3 : weight)));
        for (const [index, owner] of owners(endpoints).entries()) {
          if (owner !== before[index]) expect(owner).toBe(endpoints[raised]?.id);
        }
      }),
    );
  });

  test('clients are spread by weight, over neighbouring addresses too', () => {
    const weights = [1, 1, 2, 4];
    const endpoints = endpointsOf(weights);
    const subject = new SourceIp(endpoints);
    const counts = [0, 0, 0, 0];
    for (let i = 0; i < 16_000; i += 1) {
      const picked = subject.pick({ clientAddress: `10.20.${i >> 8}.${i & 255}`, tried: null });
      const at = endpoints.indexOf(picked as Endpoint);
      counts[at] = (counts[at] ?? 0) + 1;
    }
    for (const [index, weight] of weights.entries()) {
      const expected = (16_000 * weight) / 8;
      expect(Math.abs((counts[index] as number) - expected)).toBeLessThan(4.5 * Math.sqrt(expected));
    }
  });

  test('a retry goes where the client would go without the tried endpoint', () => {
    const endpoints = endpointsOf([1, 1, 1]);
    const subject = new SourceIp(endpoints);
    for (const clientAddress of clients) {
      const first = subject.pick({ clientAddress, tried: null }) as Endpoint;
      const others = new SourceIp(endpoints.filter((endpoint) => endpoint !== first));
      expect(subject.pick({ clientAddress, tried: [first] })).toBe(others.pick({ clientAddress, tried: null }));
    }
  });
});
