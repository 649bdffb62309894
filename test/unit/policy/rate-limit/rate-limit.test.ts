import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { AdmitPolicy, Verdict } from '../../../../src/policy/admit.ts';
import { type Gcra, gcraOf, type Rate, ticksAt } from '../../../../src/policy/rate-limit/gcra.ts';
import { compileKey } from '../../../../src/policy/rate-limit/key.ts';
import { Limit } from '../../../../src/policy/rate-limit/limit.ts';
import { policyItem } from '../../../../src/policy/rate-limit/limit-fields.ts';
import { rateLimitPolicy } from '../../../../src/policy/rate-limit/rate-limit.ts';
import type { Claim, Owed, RateStore } from '../../../../src/policy/rate-limit/rate-store.ts';
import type { LimitRule } from '../../../../src/policy/rate-limit/trial.ts';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { working } from '../exchange-facts.ts';
import { type AskedRequest, policyRequest } from '../policy-request.ts';

interface Given extends Partial<Omit<LimitRule, 'limit' | 'key'>> {
  readonly name?: string;
  readonly rate?: Rate;
  readonly burst?: number;
  readonly key?: string;
}

const perSecond = (count: number): Rate => ({ count, periodMs: 1_000 });

function rule({
  name = 'default',
  rate = perSecond(10),
  burst = 2,
  key = '{client.address}',
  ...given
}: Given = {}): LimitRule {
  return {
    limit: new Limit(`rate-limit route shop ${name} ${key}`, name, { rate, burst, maxKeys: 100 }),
    key: working(compileKey([key], [], { ipv4Prefix: 32, ipv6Prefix: 64, withoutKey: 'skip' })),
    cost: () => 1,
    status: 429,
    dryRun: false,
    policyItem: policyItem(name, gcraOf({ rate, burst })),
    store: null,
    ...given,
  };
}

function policy(rules: readonly LimitRule[]): { clock: ManualClock; policy: AdmitPolicy } {
  const clock = new ManualClock();
  return { clock, policy: rateLimitPolicy(rules, { phase: 'rateLimit', clock }) };
}

function ask(
  asked: AdmitPolicy,
  facts: Parameters<typeof policyRequest>[0] = {},
): AskedRequest & { verdict: Verdict | null } {
  const request = policyRequest(facts);
  return Object.assign(request, { verdict: asked.admit(request) });
}

function statusOf(verdict: Verdict | null): number | null {
  return verdict?.kind === 'refuse' ? verdict.error.status : null;
}

describe('a rate limit', () => {
  test('lets the burst through, refuses the next with what it takes to come again, and goes on with the rate', () => {
    const { policy: limit, clock } = policy([rule({ name: 'api', rate: perSecond(1), burst: 2 })]);
    expect(ask(limit)).toMatchObject({
      verdict: null,
      responseFields: ['RateLimit-Policy', '"api";q=2;w=2', 'RateLimit', '"api";r=1;t=1'],
    });
    expect(ask(limit).responseFields.at(-1)).toBe('"api";r=0;t=1');
    const refused = ask(limit);
    expect(refused).toMatchObject({
      verdict: {
        kind: 'refuse',
        error: { code: 'http_request_denied', status: 429, reason: 'rate-limit-exceeded', retryAfterSeconds: 1 },
      },
      notes: ['rate-limit-exceeded:api'],
      responseFields: ['RateLimit-Policy', '"api";q=2;w=2', 'RateLimit', '"api";r=0;t=1'],
    });
    clock.advance(1_000);
    expect([statusOf(ask(limit).verdict), statusOf(ask(limit).verdict)]).toEqual([null, 429]);
  });

  test('counts each key apart', () => {
    const { policy: limit } = policy([rule({ burst: 1 })]);
    const from = (address: string): number | null => statusOf(ask(limit, { client: { address } }).verdict);
    expect([from('192.0.2.1'), from('192.0.2.2'), from('192.0.2.1'), from('192.0.2.2')]).toEqual([
      null,
      null,
      429,
      429,
    ]);
  });

  test('has no say about a request without a key, and tells it nothing', () => {
    const limited = rule({ burst: 1, key: '{header.x-api-key}' });
    const { policy: limit } = policy([limited]);
    for (let i = 0; i < 3; i += 1) expect(ask(limit)).toMatchObject({ verdict: null, responseFields: [] });
    expect(limited.limit.table.size).toBe(0);
  });

  test('a request may cost more than one, or nothing', () => {
    const cost = (method: string): number => (method === 'POST' ? 2 : method === 'OPTIONS' ? 0 : 1);
    const { policy: limit } = policy([rule({ burst: 3, cost })]);
    const by = (method: string): number | null => statusOf(ask(limit, { request: { method } }).verdict);
    expect([by('POST'), by('POST'), by('GET'), by('GET'), by('OPTIONS')]).toEqual([null, 429, null, 429, null]);
  });

  test('may refuse with 503', () => {
    const { policy: limit } = policy([rule({ burst: 1, status: 503 })]);
    ask(limit);
    expect(statusOf(ask(limit).verdict)).toBe(503);
  });

  test('tells nobody where it shall not', () => {
    const { policy: limit } = policy([rule({ burst: 1, policyItem: null })]);
    expect([ask(limit).responseFields, ask(limit).responseFields]).toEqual([[], []]);
  });

  test('with dryRun notes and counts, and refuses nobody', () => {
    const watching = rule({ name: 'new', burst: 1, dryRun: true, policyItem: null });
    const { policy: limit } = policy([watching]);
    ask(limit);
    expect(ask(limit)).toMatchObject({ verdict: null, notes: ['rate-limit-dry-run:new'], responseFields: [] });
    expect(watching.limit.status()).toMatchObject({ refused: 0, wouldHaveRefused: 1 });
  });

  test('a question what would be done takes nothing, and is told the truth', () => {
    const only = rule({ burst: 1 });
    const { policy: limit } = policy([only]);
    for (let i = 0; i < 3; i += 1)
      expect(ask(limit, { hypothetical: true })).toMatchObject({ verdict: null, responseFields: [] });
    ask(limit);
    expect(ask(limit, { hypothetical: true })).toMatchObject({
      verdict: { kind: 'refuse' },
      notes: [],
      responseFields: [],
    });
    expect(only.limit.refused).toBe(0);
  });

  test('other numbers hold at once, and what is owed stays owed', () => {
    const only = rule({ rate: perSecond(1), burst: 2 });
    const { policy: limit, clock } = policy([only]);
    ask(limit);
    ask(limit);
    only.limit.adopt({ rate: perSecond(3), burst: 4, maxKeys: 100 }, clock.monotonic());
    expect(statusOf(ask(limit).verdict)).toBe(429);
    clock.advance(1_001);
    expect(statusOf(ask(limit).verdict)).toBeNull();
  });

  test('whoever owed hours by the limit before is kept out by the new one for a whole refill, and no longer', () => {
    const only = rule({ rate: { count: 1, periodMs: 3_600_000 }, burst: 5 });
    const { policy: limit, clock } = policy([only]);
    for (let i = 0; i < 5; i += 1) ask(limit);
    only.limit.adopt({ rate: perSecond(10), burst: 5, maxKeys: 100 }, clock.monotonic());
    expect(statusOf(ask(limit).verdict)).toBe(429);
    clock.advance(100);
    expect([statusOf(ask(limit).verdict), statusOf(ask(limit).verdict)]).toEqual([null, 429]);
    clock.advance(400);
    for (let i = 0; i < 4; i += 1) expect(statusOf(ask(limit).verdict)).toBeNull();
  });
});

describe('several limits', () => {
  test('are all in force, and nothing is taken of one where another refuses', () => {
    const often = rule({ name: 'often', burst: 3 });
    const seldom = rule({ name: 'seldom', rate: { count: 1, periodMs: 60_000 }, burst: 1 });
    for (const rules of [
      [often, seldom],
      [seldom, often],
    ]) {
      const { policy: limit } = policy(rules);
      const address = rules[0] === often ? '192.0.2.1' : '192.0.2.2';
      const facts = { client: { address } };
      ask(limit, facts);
      for (let i = 0; i < 10; i += 1) expect(ask(limit, facts).notes).toEqual(['rate-limit-exceeded:seldom']);
      expect(often.limit.table.fullAt(address)).toBe(often.limit.gcra.unitTicks);
    }
  });

  test('the one with least left is told, with the policies of all', () => {
    const { policy: limit } = policy([
      rule({ name: 'wide', burst: 100 }),
      rule({ name: 'narrow', rate: { count: 5, periodMs: 60_000 }, burst: 5 }),
    ]);
    expect(ask(limit).responseFields).toEqual([
      'RateLimit-Policy',
      '"wide";q=100;w=10, "narrow";q=5;w=60',
      'RateLimit',
      '"narrow";r=4;t=12',
    ]);
  });

  test('of two that refuse, the one that refuses for longest says when to come again', () => {
    const { policy: limit } = policy([
      rule({ name: 'short', rate: perSecond(1), burst: 1 }),
      rule({ name: 'long', rate: { count: 1, periodMs: 60_000 }, burst: 1 }),
    ]);
    ask(limit);
    expect(ask(limit)).toMatchObject({
      verdict: { error: { retryAfterSeconds: 60 } },
      notes: ['rate-limit-exceeded:long'],
    });
  });

  test('one that only watches is no obstacle to the others', () => {
    const watching = rule({ name: 'watching', burst: 1, dryRun: true, policyItem: null });
    const { policy: limit } = policy([watching, rule({ burst: 2 })]);
    expect([ask(limit), ask(limit), ask(limit)].map(({ verdict }) => statusOf(verdict))).toEqual([null, null, 429]);
  });
});

/** Answers when it is told to. */
class ScriptedStore implements RateStore {
  readonly address = 'redis://store.test';
  available = true;
  readonly asked: (readonly Claim[])[] = [];
  #waiting: ((owed: Owed | null) => void)[] = [];

  take(claims: readonly Claim[], done: (owed: Owed | null) => void): void {
    this.asked.push(claims);
    this.#waiting.push(done);
  }

  answer(owed: Owed | null): void {
    this.#waiting.shift()?.(owed);
  }
}

function consult(asked: AdmitPolicy, facts: Parameters<typeof policyRequest>[0] = {}) {
  const answers: (Verdict | null)[] = [];
  const request = ask(asked, facts);
  const { verdict } = request;
  if (verdict?.kind !== 'consult') throw new Error('It does not ask the store');
  verdict.consultation.begin((answer) => void answers.push(answer));
  return { request, answers, consultation: verdict.consultation };
}

describe('a limit that counts at a store', () => {
  test('does what the store says, and tells what is left there', () => {
    const store = new ScriptedStore();
    const shared = rule({ store, burst: 3 });
    const { policy: limit } = policy([shared]);
    const { request, answers } = consult(limit);
    store.answer([shared.limit.gcra.unitTicks]);
    expect(answers).toEqual([null]);
    expect(request.responseFields.at(-1)).toBe('"default";r=1;t=1');
    const second = consult(limit);
    store.answer([3 * shared.limit.gcra.unitTicks]);
    expect(second.answers).toMatchObject([{ kind: 'refuse', error: { status: 429, reason: 'rate-limit-exceeded' } }]);
  });

  test('tells the store nothing in clear, and the same for the same', () => {
    const store = new ScriptedStore();
    const { policy: limit } = policy([rule({ store, key: '{header.x-api-key}' })]);
    const facts = { request: { headers: ['X-Api-Key', 'very secret'] } };
    consult(limit, facts);
    consult(limit, facts);
    const keys = store.asked.map(([claim]) => claim?.key ?? '');
    expect(keys[0]).toBe(keys[1]);
    expect(keys[0]).toMatch(/^[A-Za-z0-9_-]{43}$/);
  });

  test('decides at once by itself while the store is not available, and goes on from what the store said last', () => {
    const store = new ScriptedStore();
    const shared = rule({ store, burst: 3 });
    const { policy: limit } = policy([shared]);
    consult(limit);
    store.answer([shared.limit.gcra.unitTicks]);
    store.available = false;
    expect([ask(limit), ask(limit)].map(({ verdict }) => statusOf(verdict))).toEqual([null, 429]);
    expect(shared.limit.status()).toMatchObject({ decidedAlone: 2, refused: 1 });
    expect(store.asked).toHaveLength(1);
  });

  test('decides by itself when the store has not said', () => {
    const store = new ScriptedStore();
    const { policy: limit } = policy([rule({ store, burst: 1 })]);
    const first = consult(limit);
    store.answer(null);
    const second = consult(limit);
    store.answer(null);
    expect([first.answers, second.answers]).toMatchObject([[null], [{ kind: 'refuse' }]]);
  });

  test('says nothing more when the client is gone', () => {
    const store = new ScriptedStore();
    const { policy: limit } = policy([rule({ store })]);
    const { answers, consultation, request } = consult(limit);
    consultation.cancel();
    store.answer([0]);
    expect([answers, request.responseFields]).toEqual([[], []]);
  });

  test.each<[string, (gcra: Gcra) => Owed | null]>([
    ['says', ({ unitTicks }) => [unitTicks]],
    ['does not say', () => null],
  ])('counts by the numbers of a reload that comes before the store %s', (_, answer) => {
    const store = new ScriptedStore();
    const shared = rule({ store, rate: perSecond(10), burst: 2 });
    const { policy: limit, clock } = policy([shared]);
    // Ticks of another length make times of long uptimes mean others by hours.
    clock.advance(30 * 86_400_000);
    const { answers } = consult(limit);
    const before = shared.limit.gcra;
    const after = { rate: perSecond(600_000), burst: 600_000, maxKeys: 100 };
    shared.limit.adopt(after, clock.monotonic());
    expect(shared.limit.gcra.ticksPerMs).not.toBe(before.ticksPerMs);
    store.answer(answer(before));
    expect(answers).toEqual([null]);
    const owedMs = shared.limit.table.fullAt('192.0.2.7') / shared.limit.gcra.ticksPerMs - clock.monotonic();
    expect(owedMs).toBeGreaterThan(0);
    expect(owedMs).toBeLessThanOrEqual(101);
  });

  test('asks nobody about a hypothetical request', () => {
    const store = new ScriptedStore();
    const { policy: limit } = policy([rule({ store })]);
    expect(ask(limit, { hypothetical: true }).verdict).toBeNull();
    expect(store.asked).toEqual([]);
  });

  test('beside one that counts here: the store is not asked where that refuses, and that gives back where the store refuses', () => {
    const store = new ScriptedStore();
    const here = rule({ name: 'here', burst: 2 });
    const there = rule({ name: 'there', store, burst: 1 });
    const { policy: limit } = policy([here, there]);
    const full = there.limit.gcra.unitTicks;
    for (let i = 0; i < 5; i += 1) {
      const { answers } = consult(limit);
      store.answer([full]);
      expect(answers).toMatchObject([{ kind: 'refuse' }]);
    }
    expect(here.limit.table.fullAt('192.0.2.7')).toBe(0);
    consult(limit);
    store.answer([0]);
    consult(limit);
    store.answer([0]);
    expect(ask(limit)).toMatchObject({ verdict: { kind: 'refuse' }, notes: ['rate-limit-exceeded:here'] });
    expect(store.asked).toHaveLength(7);
  });
});

/** Buckets that are looked into together before anything is taken, in whole ticks. */
class NaiveBuckets {
  readonly #buckets = new Map<string, { ticks: bigint; at: bigint }>();

  ask(wanted: readonly { readonly key: string; readonly gcra: Gcra }[], ms: number): boolean {
    const found = wanted.map(({ key, gcra }) => {
      const size = BigInt(gcra.burstTicks);
      const at = BigInt(ticksAt(gcra, ms));
      const bucket = this.#buckets.get(key) ?? { ticks: size, at };
      const ticks = bucket.ticks + at - bucket.at;
      this.#buckets.set(key, { ticks: ticks > size ? size : ticks, at });
      return { key, unit: BigInt(gcra.unitTicks) };
    });
    const ticksOf = (key: string): bigint => this.#buckets.get(key)?.ticks ?? 0n;
    if (!found.every(({ key, unit }) => ticksOf(key) >= unit)) return false;
    for (const { key, unit } of found) {
      const bucket = this.#buckets.get(key);
      if (bucket !== undefined) bucket.ticks -= unit;
    }
    return true;
  }
}

test('several limits by several keys do what buckets do that are looked into together, in any order (property)', () => {
  const given = fc.record({
    count: fc.integer({ min: 1, max: 9 }),
    periodMs: fc.constantFrom(1_000, 7_000),
    burst: fc.integer({ min: 1, max: 5 }),
    key: fc.constantFrom('{client.address}', '{host}'),
  });
  const requests = fc.array(
    fc.record({
      after: fc.nat({ max: 400 }),
      address: fc.constantFrom('192.0.2.1', '192.0.2.2'),
      host: fc.constantFrom('a', 'b'),
    }),
    { minLength: 1, maxLength: 60 },
  );
  fc.assert(
    fc.property(fc.array(given, { minLength: 1, maxLength: 3 }), requests, (limits, asked) => {
      const rules = limits.map(({ count, periodMs, burst, key }, index) =>
        rule({ name: `limit-${index}`, rate: { count, periodMs }, burst, key }),
      );
      const { policy: limit, clock } = policy(rules);
      const model = new NaiveBuckets();
      for (const { after, address, host } of asked) {
        clock.advance(after);
        const wanted = rules.map((each, index) => {
          const value = limits[index]?.key === '{host}' ? host : address;
          return { key: `${index} ${value}`, gcra: each.limit.gcra };
        });
        const { verdict } = ask(limit, { client: { address }, host });
        expect(verdict === null).toBe(model.ask(wanted, clock.monotonic()));
      }
    }),
    { seed: 7, numRuns: 150 },
  );
});
