import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bestAccepted } from '../../../src/http/accept-encoding.ts';

const OFFERED = ['zstd', 'br', 'gzip'];

describe('the coding of a compressed response (RFC 9110 §12.5.3)', () => {
  test.each<[string | null, string]>([
    [null, 'identity'],
    ['', 'identity'],
    ['gzip, deflate, br, zstd', 'zstd'],
    ['gzip, deflate, br', 'br'],
    ['gzip', 'gzip'],
    ['x-gzip', 'gzip'],
    ['GZIP;Q=0.1', 'gzip'],
    ['gzip, br;q=0.9, zstd;q=0.8', 'gzip'],
    ['gzip;q=0.5, br;q=0.5', 'br'],
    ['gzip;q=0', 'identity'],
    ['*', 'zstd'],
    ['*;q=0.1', 'zstd'],
    ['*, zstd;q=0', 'br'],
    ['*;q=0.5, gzip', 'gzip'],
    ['*;q=0', 'identity'],
    ['*;q=0, br;q=0.1', 'br'],
    ['identity', 'identity'],
    ['identity, gzip', 'gzip'],
    ['identity, gzip;q=0.5', 'identity'],
    ['identity;q=0.5, gzip;q=0.6', 'gzip'],
    ['identity;q=0', 'identity'],
    ['identity;q=0, gzip;q=0.001', 'gzip'],
    ['identity;q=0, *;q=0', 'identity'],
    ['deflate', 'identity'],
    ['gzip, gzip;q=0', 'identity'],
    ['gzip;q=2', 'identity'],
    ['br;level=5', 'identity'],
    ['gz ip', 'identity'],
  ])('%j: %s', (value, coding) => {
    expect(bestAccepted(OFFERED, value)).toBe(coding);
  });

  /** Every coding with its weight, the best by a sort that keeps the order of the server; not encoding comes last. */
  function naive(offered: readonly string[], members: readonly (readonly [string, number])[]): string {
    const weights = new Map(members);
    const any = weights.get('*') ?? 0;
    const rated = offered.map((coding) => ({ coding, q: weights.get(coding) ?? any }));
    const all = [...rated, { coding: 'identity', q: weights.get('identity') ?? 0 }].filter(({ q }) => q > 0);
    return all.sort((a, b) => b.q - a.q)[0]?.coding ?? 'identity';
  }

  test('is that of a naive model', () => {
    const name = fc.constantFrom('gzip', 'br', 'zstd', 'deflate', 'identity', '*');
    const list = fc.uniqueArray(fc.tuple(name, fc.integer({ min: 0, max: 3 })), { selector: ([coding]) => coding });
    const offer = fc.shuffledSubarray(OFFERED);
    fc.assert(
      fc.property(list, offer, (members, offered) => {
        const value = members.map(([coding, q]) => `${coding};q=${q / 10}`).join(', ');
        expect(bestAccepted(offered, value)).toBe(naive(offered, members));
      }),
      { seed: 7, numRuns: 1_000 },
    );
  });

  test('is one of those on offer, whatever the client sends', () => {
    fc.assert(
      fc.property(fc.string(), (value) => {
        expect([...OFFERED, 'identity']).toContain(bestAccepted(OFFERED, value));
      }),
      { seed: 7 },
    );
  });
});
