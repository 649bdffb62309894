import { describe, expect, test } from 'vitest';
import type { Verdict } from '../../../../src/policy/admit.ts';
import { type ConcurrencyRule, concurrencyPolicy, InFlight } from '../../../../src/policy/rate-limit/concurrency.ts';
import { compileKey } from '../../../../src/policy/rate-limit/key.ts';
import { working } from '../exchange-facts.ts';
import { policyRequest } from '../policy-request.ts';

function rule(given: Partial<ConcurrencyRule> & { readonly name?: string } = {}): ConcurrencyRule {
  const { name = 'default', ...rest } = given;
  return {
    inFlight: new InFlight(`concurrency route shop ${name}`, name),
    max: 2,
    key: working(compileKey(['{client.address}'], [], { ipv4Prefix: 32, ipv6Prefix: 64, withoutKey: 'skip' })),
    status: 429,
    retryAfterSeconds: 3,
    dryRun: false,
    ...rest,
  };
}

/** Requests that end when they are told to. */
function arena(rules: readonly ConcurrencyRule[]) {
  const policy = concurrencyPolicy(rules);
  return (address = '192.0.2.7', hypothetical = false) => {
    const releases: (() => void)[] = [];
    const request = {
      ...policyRequest({ client: { address }, hypothetical }),
      atEnd: (release: () => void) => void releases.push(release),
    };
    const verdict: Verdict | null = policy.admit(request);
    return {
      verdict,
      notes: request.notes,
      end: () => {
        for (const release of releases) release();
      },
    };
  };
}

describe('a limit of what is under way at once', () => {
  test('refuses what is too much, and lets the next in when one has ended', () => {
    const enter = arena([rule({ max: 2 })]);
    const first = enter();
    enter();
    const third = enter();
    expect(third).toMatchObject({
      verdict: {
        kind: 'refuse',
        error: { code: 'http_request_denied', status: 429, reason: 'concurrency-exceeded', retryAfterSeconds: 3 },
      },
      notes: ['concurrency-exceeded:default'],
    });
    // Who was refused has nothing to leave.
    third.end();
    expect(enter().verdict).not.toBeNull();
    first.end();
    expect(enter().verdict).toBeNull();
  });

  test('counts each key apart, and keeps none that has nothing under way', () => {
    const one = rule({ max: 1 });
    const enter = arena([one]);
    const a = enter('192.0.2.1');
    const b = enter('192.0.2.2');
    expect([a.verdict, b.verdict, enter('192.0.2.1').verdict?.kind]).toEqual([null, null, 'refuse']);
    a.end();
    b.end();
    expect(one.inFlight.status()).toMatchObject({ inFlight: 0, keys: 0, refused: 1 });
  });

  test('of several rules, none counts what one refuses', () => {
    const wide = rule({ name: 'wide', max: 10 });
    const narrow = rule({ name: 'narrow', max: 1 });
    const enter = arena([wide, narrow]);
    enter();
    for (let i = 0; i < 5; i += 1) enter();
    expect(wide.inFlight.of('192.0.2.7')).toBe(1);
  });

  test('with dryRun notes and counts, and refuses nobody', () => {
    const watching = rule({ max: 1, dryRun: true });
    const enter = arena([watching]);
    enter();
    expect(enter()).toMatchObject({ verdict: null, notes: ['concurrency-dry-run:default'] });
    expect(watching.inFlight.status()).toMatchObject({ inFlight: 2, wouldHaveRefused: 1 });
  });

  test('a hypothetical request takes no place, and is told whether there is one', () => {
    const one = rule({ max: 1 });
    const enter = arena([one]);
    expect(enter('192.0.2.7', true).verdict).toBeNull();
    enter();
    expect(enter('192.0.2.7', true)).toMatchObject({ verdict: { kind: 'refuse' }, notes: [] });
    expect(one.inFlight.status()).toMatchObject({ inFlight: 1, refused: 0 });
  });
});
