import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { GatewayError, type RetryVerdict } from '../../../src/errors.ts';
import { nextSerial } from '../../../src/upstream/attempt-watcher.ts';
import type { Endpoint } from '../../../src/upstream/endpoint.ts';
import type { UpstreamEvent } from '../../../src/upstream/events.ts';
import { mostEjected, type OutlierPolicy } from '../../../src/upstream/outlier/outlier-policy.ts';
import { OutlierWatcher } from '../../../src/upstream/outlier/outlier-watcher.ts';
import { ManualClock } from '../../kit/manual-clock.ts';
import { endpointsOf, setHealth } from './endpoints.ts';

const POLICY: OutlierPolicy = {
  consecutive: 3,
  errorRatio: 0.5,
  latency: null,
  minimum: 10,
  intervalMs: 10_000,
  ejectionMs: 30_000,
  maxEjectionMs: 200_000,
  maxEjected: 0.5,
  isFailure: (status) => status >= 502,
};

function lost(retry: RetryVerdict = 'never'): GatewayError {
  return new GatewayError('connection_terminated', { blame: 'upstream', status: 502, reason: 'test', retry });
}

/** What becomes of an attempt: a status; a failure before the head; a good head whose body is cut short; a client that leaves. */
type Fate = number | 'lost' | 'cut' | 'gone' | 'raced';

function start(count: number, changes: Partial<OutlierPolicy> = {}) {
  const clock = new ManualClock();
  const events: string[] = [];
  const state = { members: endpointsOf(Array.from({ length: count }, () => 1)) };
  const observer = {
    event: (event: UpstreamEvent) => {
      if (event.kind !== 'outlier') throw new Error(`Unexpected ${event.kind}`);
      const { change } = event;
      const what = change.ejected ? `aside ${change.forMs / 1000} s ${change.inARow}` : 'back';
      events.push(`${event.endpoint.at(-6)} ${what} ${change.reason}`);
    },
  };
  const make = (more: Partial<OutlierPolicy>): OutlierWatcher =>
    new OutlierWatcher({
      pool: 'shop',
      policy: { ...POLICY, ...changes, ...more },
      members: () => state.members,
      parts: { clock, observer },
    });
  const watcher = make({});
  const at = (index: number): Endpoint => state.members[index] as Endpoint;
  const begin = (index: number, by = watcher) => {
    const endpoint = at(index);
    const mark = { serial: nextSerial(), status: 0 };
    by.began(endpoint, mark);
    return (fate: Fate, ms = 10): void => {
      if (typeof fate === 'number') mark.status = fate;
      if (fate === 'cut') mark.status = 200;
      if (mark.status !== 0) by.answered(endpoint, mark.status, ms, mark);
      if (fate === 'lost' || fate === 'cut') by.failed(endpoint, lost(), mark);
      if (fate === 'raced') by.failed(endpoint, lost('if-reused'), mark);
      by.ended(endpoint, mark);
    };
  };
  const attempt = (index: number, ...fates: Fate[]): void => {
    for (const fate of fates) begin(index)(fate);
  };
  return { clock, events, state, watcher, make, at, begin, attempt };
}

describe('failures in a row', () => {
  test.each<[string, Fate[], boolean]>([
    ['before the head', ['lost', 'lost', 'lost'], true],
    ['by status', [502, 503, 504], true],
    ['of both kinds', ['lost', 503, 'lost'], true],
    ['responses cut short', ['cut', 'cut', 'cut'], true],
    ['two are not three', ['lost', 'lost'], false],
    ['broken by a good answer', ['lost', 'lost', 200, 'lost', 'lost'], false],
    ['broken by any other status', ['lost', 'lost', 500, 'lost', 'lost'], false],
    ['cuts broken by a whole response', ['cut', 'cut', 200, 'cut', 'cut'], false],
    ['with clients that leave in between', ['lost', 'gone', 'lost', 'gone', 'lost'], true],
    ['clients that leave are none', ['gone', 'gone', 'gone', 'gone'], false],
    ['kept-alive connections that just closed are none', ['raced', 'raced', 'raced'], false],
  ])('%s', (_, fates, ejected) => {
    const { attempt, at } = start(3);
    attempt(0, ...fates);
    expect(at(0).live.ejected).toBe(ejected);
  });

  test('are told once, with the reason', () => {
    const { attempt, events } = start(3);
    attempt(0, 'lost', 'lost', 'lost', 'lost', 'lost', 'lost', 'lost');
    expect(events).toEqual(['1 aside 30 s 1 consecutive-failures']);
  });

  test('say nothing when that is off', () => {
    const { attempt, at } = start(3, { consecutive: 0 });
    attempt(0, ...Array.from({ length: 100 }, () => 'lost' as const));
    expect(at(0).live.ejected).toBe(false);
  });

  test('of requests that began before it came back do not count', () => {
    const { begin, attempt, at, clock } = start(3);
    const hanging = [begin(0), begin(0), begin(0)];
    attempt(0, 'lost', 'lost', 'lost');
    clock.advance(30_000);
    for (const finish of hanging) finish('lost');
    expect(at(0).live.ejected).toBe(false);
  });
});

describe('an interval', () => {
  test('ends at the first result after it, and begins anew', () => {
    const { attempt, at, clock } = start(3, { consecutive: 0 });
    const half: Fate[] = ['lost', 200, 'lost', 200, 'lost', 200, 'lost', 200, 'lost', 200];
    attempt(0, ...half);
    attempt(1, ...half.map(() => 200));
    clock.advance(9_999);
    attempt(1, 200);
    expect(at(0).live.ejected).toBe(false);
    clock.advance(1);
    attempt(1, 200);
    expect(at(0).live.ejected).toBe(true);
  });

  test('forgets what was in the one before', () => {
    const { attempt, at, clock } = start(2, { consecutive: 0 });
    attempt(0, 'lost', 'lost', 'lost', 'lost', 'lost', 'lost', 'lost', 'lost', 'lost');
    clock.advance(10_000);
    attempt(1, 200);
    attempt(0, 'lost');
    clock.advance(10_000);
    attempt(1, 200);
    expect(at(0).live.ejected).toBe(false);
  });

  test('ejects the slow', () => {
    const { begin, at, clock, events } = start(3, { latency: { times: 3, leastMs: 50 } });
    for (let i = 0; i < 10; i += 1) {
      begin(0)(200, 400);
      begin(1)(200, 20);
      begin(2)(200, 30);
    }
    clock.advance(10_000);
    begin(1)(200, 20);
    expect([at(0).live.ejected, at(1).live.ejected, at(2).live.ejected]).toEqual([true, false, false]);
    expect(events).toEqual(['1 aside 30 s 1 latency']);
  });
});

describe('the time aside', () => {
  test('doubles each further time in a row, up to its limit, and shrinks with good behaviour', () => {
    const { attempt, clock, events } = start(2);
    const fail = (): void => attempt(0, 'lost', 'lost', 'lost');
    fail();
    clock.advance(30_000);
    fail();
    clock.advance(60_000);
    fail();
    clock.advance(120_000);
    fail();
    // The limit, and two ejection times of good behaviour.
    clock.advance(200_000 + 60_000);
    fail();
    clock.advance(120_000 + 600_000);
    fail();
    expect(events.filter((event) => event.includes('aside'))).toEqual([
      '1 aside 30 s 1 consecutive-failures',
      '1 aside 60 s 2 consecutive-failures',
      '1 aside 120 s 3 consecutive-failures',
      '1 aside 200 s 4 consecutive-failures',
      '1 aside 120 s 3 consecutive-failures',
      '1 aside 30 s 1 consecutive-failures',
    ]);
    expect(events.filter((event) => event.includes('back'))).toEqual(Array(5).fill('1 back time-served'));
  });

  test('ends with active checks that fall and rise again, not with those that passed all the while', () => {
    const { attempt, at, clock, watcher, events } = start(2);
    attempt(0, 'lost', 'lost', 'lost');
    watcher.look();
    expect(at(0).live.ejected).toBe(true);
    clock.advance(1_000);
    at(0).probe?.record({ healthy: false, reason: 'test', status: null, elapsedMs: 1 }, clock.now());
    watcher.look();
    expect(at(0).live.ejected).toBe(true);
    clock.advance(1_000);
    at(0).probe?.record({ healthy: true, reason: 'test', status: null, elapsedMs: 1 }, clock.now());
    watcher.look();
    expect([at(0).live.ejected, events.at(-1), clock.pending]).toEqual([false, '1 back checks-passed', 0]);
  });

  test('is what remains of it when another configuration takes over', () => {
    const { attempt, at, clock, make, begin, events } = start(2);
    attempt(0, 'lost', 'lost', 'lost');
    clock.advance(10_000);
    const next = make({ consecutive: 1, ejectionMs: 5_000, maxEjected: 1 });
    begin(0, next)('lost');
    clock.advance(19_999);
    expect(at(0).live.ejected).toBe(true);
    clock.advance(1);
    expect(at(0).live.ejected).toBe(false);
    begin(0, next)('lost');
    expect(events.at(-1)).toBe('1 aside 10 s 2 consecutive-failures');
  });

  test('leaves no timer when nobody watches any more', () => {
    const { attempt, at, clock } = start(2);
    attempt(0, 'lost', 'lost', 'lost');
    at(0).live.outlier?.retire();
    expect([at(0).live.ejected, clock.pending]).toEqual([false, 0]);
  });
});

describe('how many may be aside', () => {
  test('the only endpoint stays, whatever it does', () => {
    const { attempt, at } = start(1, { maxEjected: 1 });
    attempt(0, 'lost', 'lost', 'lost', 'lost', 'lost', 'lost');
    expect(at(0).live.ejected).toBe(false);
  });

  test('the last that could serve stays, also when others are down for other reasons', () => {
    const { attempt, at } = start(3);
    setHealth(at(1), false);
    at(2).live.standing = 'draining';
    attempt(0, 'lost', 'lost', 'lost');
    expect(at(0).live.ejected).toBe(false);
  });

  test('one that was spared is put aside after as many failures again, once there is room', () => {
    const { attempt, at, clock } = start(2);
    attempt(0, 'lost', 'lost', 'lost');
    attempt(1, 'lost', 'lost', 'lost');
    clock.advance(30_000);
    attempt(1, 'lost', 'lost');
    expect(at(1).live.ejected).toBe(false);
    attempt(1, 'lost');
    expect(at(1).live.ejected).toBe(true);
  });

  test('those whose time is over soonest come back when the pool shrinks', () => {
    const { attempt, at, clock, state, watcher, events } = start(6);
    for (const index of [2, 1, 0]) {
      attempt(index, 'lost', 'lost', 'lost');
      clock.advance(1_000);
    }
    state.members = state.members.slice(0, 4);
    watcher.look();
    expect([0, 1, 2].map((index) => at(index).live.ejected)).toEqual([true, true, false]);
    expect(events.at(-1)).toBe('3 back needed');
  });

  test('all come back when nobody else is left', () => {
    const { attempt, at, watcher } = start(3);
    attempt(0, 'lost', 'lost', 'lost');
    setHealth(at(1), false);
    watcher.look();
    expect(at(0).live.ejected).toBe(true);
    setHealth(at(2), false);
    watcher.look();
    expect(at(0).live.ejected).toBe(false);
  });

  test('is never more than the share, and one at least is left, whatever happens', () => {
    const endpoint = fc.nat({ max: 7 });
    const step = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.record({
          do: fc.constant('attempt'),
          endpoint,
          fate: fc.constantFrom<Fate>('lost', 'cut', 200, 503, 'gone'),
        }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant('wait'), ms: fc.nat({ max: 40_000 }) }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('health'), endpoint, up: fc.boolean() }) },
      { weight: 1, arbitrary: fc.record({ do: fc.constant('members'), count: fc.integer({ min: 1, max: 8 }) }) },
    );
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        fc.array(step, { maxLength: 150 }),
        (count, maxEjected, steps) => {
          const world = start(8, { consecutive: 2, minimum: 3, maxEjected });
          const all = world.state.members;
          world.state.members = all.slice(0, count);
          for (const each of steps) {
            const { members } = world.state;
            if (each.do === 'wait' && 'ms' in each) world.clock.advance(each.ms);
            if (each.do === 'attempt' && 'fate' in each) world.attempt(each.endpoint % members.length, each.fate);
            if (each.do === 'health' && 'up' in each) setHealth(members[each.endpoint % members.length], each.up);
            if (each.do === 'members' && 'count' in each) world.state.members = all.slice(0, each.count);
            if (each.do === 'health' || each.do === 'members') world.watcher.look();
            const now = world.state.members;
            const aside = now.filter(({ live }) => live.ejected).length;
            expect(aside).toBeLessThanOrEqual(mostEjected(now.length, maxEjected));
            expect(aside).toBeLessThan(now.length);
            // A timer for each that is aside, members or not, and no other.
            expect(world.clock.pending).toBe(all.filter(({ live }) => live.ejected).length);
          }
        },
      ),
      { seed: 4, numRuns: 300 },
    );
  });
});
