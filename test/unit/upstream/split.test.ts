import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SignedCookie } from '../../../src/upstream/affinity/signed-cookie.ts';
import { readKey } from '../../../src/upstream/balance/hash-key.ts';
import { Split, type SplitRequest, type Stickiness } from '../../../src/upstream/split.ts';
import { seededRandom } from './endpoints.ts';

/** All that a split knows of a pool. */
interface Named {
  readonly name: string;
}

const pools: readonly Named[] = ['v1', 'v2', 'v3', 'v4'].map((name) => ({ name }));

function split(
  weights: readonly number[],
  sticky: Stickiness<Named> | null = null,
  random = seededRandom(4),
): Split<Named> {
  return new Split(
    weights.map((weight, index) => ({ pool: pools[index] as Named, weight })),
    sticky,
    random,
  );
}

function from(clientAddress: string, headers: readonly string[] = []): SplitRequest {
  return { clientAddress, facts: null, tried: null, headers: [...headers], overTls: false };
}

const byClient: Stickiness<Named> = { kind: 'key', read: readKey('client') };
const client = (n: number) => from(`10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`);

/** Whom each of `count` clients gets. */
function assignment(of: Split<Named>, count: number): string[] {
  return Array.from({ length: count }, (_, n) => of.choose(client(n)).pool.name);
}

/** Five standard deviations of a binomial: a fair draw is outside once in two million. */
function expectShare(got: number, of: number, share: number): void {
  expect(Math.abs(got - of * share)).toBeLessThanOrEqual(5 * Math.sqrt(of * share * (1 - share)) + 1e-9);
}

const weightLists = fc.array(fc.nat(100), { minLength: 2, maxLength: 4 }).filter((list) => list.some((w) => w > 0));

describe.each<[string, Stickiness<Named> | null]>([
  ['by chance', null],
  ['by client', byClient],
])('%s', (_name, sticky) => {
  test('each pool gets its share of the requests, and one of weight 0 none', () => {
    fc.assert(
      fc.property(weightLists, fc.integer(), (weights, seed) => {
        const got = assignment(split(weights, sticky, seededRandom(seed)), 4_000);
        const sum = weights.reduce((a, b) => a + b, 0);
        for (const [index, weight] of weights.entries()) {
          const name = pools[index]?.name ?? '';
          expectShare(got.filter((each) => each === name).length, got.length, weight / sum);
        }
      }),
      { seed: 4, numRuns: 60 },
    );
  });
});

test('by client, a growing weight moves clients to that pool and between no others, a shrinking one only its own', () => {
  const which = fc.nat(3);
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 100 }), { minLength: 4, maxLength: 4 }),
      which,
      fc.nat(100),
      (before, index, weight) => {
        const after = before.with(index, weight);
        const changed = pools[index]?.name;
        const grows = weight >= (before[index] ?? 0);
        const old = assignment(split(before, byClient), 500);
        for (const [n, now] of assignment(split(after, byClient), 500).entries()) {
          if (now === old[n]) continue;
          expect(grows ? now : old[n]).toBe(changed);
        }
      },
    ),
    { seed: 4, numRuns: 200 },
  );
});

test('by client, the order of the pools does not matter, nor how many gateways there are', () => {
  const forwards = assignment(split([70, 20, 10], byClient), 1_000);
  const backwards = new Split(
    [2, 1, 0].map((index) => ({ pool: pools[index] as Named, weight: [70, 20, 10][index] ?? 0 })),
    byClient,
    Math.random,
  );
  expect(assignment(backwards, 1_000)).toEqual(forwards);
});

test('a request without the key that is asked for goes by chance', () => {
  const byHeader: Stickiness<Named> = { kind: 'key', read: readKey({ header: 'X-User' }) };
  const got = new Set(assignment(split([1, 1], byHeader), 100));
  expect(got).toEqual(new Set(['v1', 'v2']));
});

describe('a cookie', () => {
  const options = {
    cookie: 'canary',
    secrets: ['a secret of sixteen'],
    path: '/',
    domain: null,
    secure: 'auto',
    httpOnly: true,
    sameSite: 'lax',
    maxAgeMs: null,
  } as const;
  const cookie = new SignedCookie<Named>(
    options,
    pools.map((pool) => [`split:${pool.name}`, pool]),
  );
  const sticky: Stickiness<Named> = { kind: 'cookie', cookie };

  test('keeps a client at its pool, whatever the weights become, 0 included', () => {
    const { pool, setCookie } = split([0, 1], sticky).choose(from('192.0.2.7'));
    expect(pool.name).toBe('v2');
    expect(setCookie).toMatch(/^canary=[\w-]{32}; Path=\/; HttpOnly; SameSite=Lax$/);
    const sent = ['Cookie', (setCookie ?? '').split(';')[0] ?? ''];
    for (let n = 0; n < 50; n += 1) {
      expect(split([1, 0], sticky).choose(from('192.0.2.7', sent))).toEqual({ pool, setCookie: null });
    }
  });

  test('that is forged is none', () => {
    const { pool, setCookie } = split([1, 0], sticky).choose(from('192.0.2.7', ['Cookie', `canary=${'A'.repeat(32)}`]));
    expect([pool.name, setCookie === null]).toEqual(['v1', false]);
  });
});
