import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { Breaker, type BreakerChange, type BreakerPolicy } from '../../../src/upstream/breaker/breaker.ts';
import { ResultWindow } from '../../../src/upstream/breaker/result-window.ts';
import { ManualClock } from '../../kit/manual-clock.ts';

const POLICY: BreakerPolicy = {
  consecutive: 0,
  errorRatio: 0.5,
  latency: null,
  minimum: 4,
  windowMs: 10_000,
  openMs: 1_000,
  maxOpenMs: 8_000,
  probes: 1,
  successes: 2,
  isFailure: (status) => status >= 502,
};

/** A breaker on a clock of its own; `random` 0.5 means no jitter. */
class Bench {
  readonly clock = new ManualClock();
  readonly changes: BreakerChange[] = [];
  readonly moves: boolean[] = [];
  readonly breaker: Breaker;
  serial = 0;

  constructor(policy: Partial<BreakerPolicy> = {}, random = () => 0.5) {
    this.breaker = new Breaker(
      { ...POLICY, ...policy },
      {
        clock: this.clock,
        random,
        changed: (change) => this.changes.push(change),
        moved: (admits) => this.moves.push(admits),
      },
    );
  }

  begin(): number {
    this.serial += 1;
    this.breaker.began(this.serial);
    return this.serial;
  }

  answer(status = 200, headMs = 1): void {
    const serial = this.begin();
    this.breaker.answered(serial, status, headMs);
    this.breaker.ended(serial);
  }

  fail(times = 1): void {
    for (let i = 0; i < times; i += 1) {
      const serial = this.begin();
      this.breaker.failed(serial, 0);
      this.breaker.ended(serial);
    }
  }

  /** What it has been, in order. */
  get states(): readonly string[] {
    return this.changes.map(({ state }) => state);
  }
}

describe('what trips a breaker', () => {
  test('as many failures in a row as configured, and a success between them does not count as one', () => {
    const bench = new Bench({ consecutive: 3, errorRatio: null });
    bench.fail(2);
    bench.answer();
    bench.fail(2);
    expect(bench.breaker.state).toBe('passing');
    bench.fail();
    expect(bench.changes).toEqual([{ state: 'tripped', reason: 'consecutive-failures', openMs: 1_000, heldMs: 0 }]);
  });

  test('the share of failures in the window, but not before the minimum of attempts', () => {
    const bench = new Bench();
    bench.fail(3);
    expect(bench.breaker.state).toBe('passing');
    bench.answer();
    expect(bench.changes.map(({ reason }) => reason)).toEqual(['error-ratio']);
    const better = new Bench();
    for (const _ of [1, 2, 3, 4, 5]) {
      better.answer();
      better.fail();
      better.answer();
    }
    expect([better.breaker.state, better.breaker.counts]).toEqual(['passing', { attempts: 15, failures: 5 }]);
  });

  test('a listed status is a failure, any other is not', () => {
    const bench = new Bench({ consecutive: 2, errorRatio: null });
    for (let i = 0; i < 10; i += 1) bench.answer(500);
    expect(bench.breaker.state).toBe('passing');
    bench.answer(503);
    bench.answer(502);
    expect(bench.breaker.state).toBe('tripped');
  });

  test('the share of slow answers', () => {
    const bench = new Bench({ errorRatio: null, latency: { slowerMs: 100, share: 0.5 } });
    bench.answer(200, 100);
    bench.answer(200, 100);
    bench.answer(200, 101);
    bench.answer(200, 100);
    expect(bench.breaker.state).toBe('passing');
    bench.answer(200, 5_000);
    bench.answer(200, 5_000);
    expect(bench.changes.map(({ reason }) => reason)).toEqual(['latency']);
  });

  test('an answer that is cut short was no success, and a listed status that is cut short is one failure', () => {
    const bench = new Bench();
    for (let i = 0; i < 3; i += 1) {
      const serial = bench.begin();
      bench.breaker.answered(serial, 200, 1);
      bench.breaker.failed(serial, 200);
    }
    expect(bench.breaker.counts).toEqual({ attempts: 3, failures: 3 });
    const serial = bench.begin();
    bench.breaker.answered(serial, 503, 1);
    expect(bench.breaker.state).toBe('tripped');
    const other = new Bench();
    const failing = other.begin();
    other.breaker.answered(failing, 503, 1);
    other.breaker.failed(failing, 503);
    expect(other.breaker.counts).toEqual({ attempts: 1, failures: 1 });
  });

  test('failures that are older than the window do not count', () => {
    const bench = new Bench();
    bench.fail(3);
    bench.clock.advance(10_000);
    bench.fail(3);
    expect(bench.breaker.state).toBe('passing');
    expect(bench.breaker.counts).toEqual({ attempts: 3, failures: 3 });
  });

  test('an attempt that nobody waits for any more is neither a failure nor a success', () => {
    const bench = new Bench();
    for (let i = 0; i < 10; i += 1) bench.breaker.ended(bench.begin());
    expect(bench.breaker.counts).toEqual({ attempts: 0, failures: 0 });
  });
});

describe('a breaker that has tripped', () => {
  function tripped(policy: Partial<BreakerPolicy> = {}, random = () => 0.5): Bench {
    const bench = new Bench(policy, random);
    bench.fail(4);
    expect(bench.breaker.state).toBe('tripped');
    return bench;
  }

  test('admits nothing and says for how long, in whole seconds rounded up', () => {
    const { breaker, clock } = tripped({ openMs: 4_500, maxOpenMs: 9_000 });
    expect([breaker.admits, breaker.retryAfterSeconds]).toEqual([false, 5]);
    expect(breaker.untilEpoch).toBe(clock.now() + 4_500);
    clock.advance(1_000);
    expect(breaker.retryAfterSeconds).toBe(4);
    clock.advance(3_400);
    expect([breaker.admits, breaker.retryAfterSeconds]).toEqual([false, 1]);
  });

  test('probes after its time with a few at once, and passes after as many successes as configured', () => {
    const bench = tripped({ probes: 2, successes: 3 });
    const { breaker, clock } = bench;
    clock.advance(1_000);
    expect([breaker.state, breaker.admits]).toEqual(['probing', true]);
    breaker.began(100);
    expect(breaker.admits).toBe(true);
    breaker.began(101);
    expect(breaker.admits).toBe(false);
    breaker.answered(100, 200, 1);
    expect([breaker.state, breaker.admits]).toEqual(['probing', true]);
    breaker.answered(101, 200, 1);
    breaker.began(102);
    breaker.answered(102, 404, 1);
    expect([breaker.state, breaker.admits]).toEqual(['passing', true]);
    expect(bench.states).toEqual(['tripped', 'probing', 'passing']);
    expect(clock.pending).toBe(0);
  });

  test('trips again at the first probe that fails, for twice as long, and never longer than allowed', () => {
    const bench = tripped();
    for (const _ of [1, 2, 3, 4, 5]) {
      bench.clock.advance(8_000);
      bench.fail();
    }
    const opens = bench.changes.filter(({ state }) => state === 'tripped').map(({ openMs }) => openMs);
    expect(opens).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 8_000]);
  });

  test('is tripped for the first time again once it has passed for a window', () => {
    const bench = tripped();
    bench.clock.advance(1_000);
    bench.answer();
    bench.answer();
    bench.clock.advance(9_999);
    bench.fail(4);
    expect(bench.changes.at(-1)).toMatchObject({ state: 'tripped', openMs: 2_000 });
    bench.clock.advance(2_000);
    bench.answer();
    bench.answer();
    bench.clock.advance(10_000);
    bench.fail(4);
    expect(bench.changes.at(-1)).toMatchObject({ state: 'tripped', openMs: 1_000 });
  });

  test('is tripped a fifth longer or shorter by chance, but not longer than allowed', () => {
    expect(tripped({}, () => 0).changes[0]?.openMs).toBe(800);
    expect(tripped({}, () => 0.999_999).changes[0]?.openMs).toBe(1_200);
    expect(tripped({ maxOpenMs: 1_000 }, () => 0.999_999).changes[0]?.openMs).toBe(1_000);
  });

  test('a slow answer to a probe is a failed probe where slowness trips', () => {
    const bench = new Bench({ latency: { slowerMs: 100, share: 1 } });
    bench.fail(4);
    bench.clock.advance(1_000);
    bench.answer(200, 101);
    expect(bench.changes.at(-1)).toMatchObject({ state: 'tripped', reason: 'probe-failed' });
  });

  test('what hung from before it tripped says nothing of now, whenever it ends', () => {
    const bench = new Bench();
    const hung = [1, 2, 3, 4, 5, 6, 7, 8].map(() => bench.begin());
    bench.fail(4);
    bench.breaker.failed(hung[0] as number, 0);
    bench.clock.advance(1_000);
    bench.breaker.failed(hung[1] as number, 0);
    bench.breaker.answered(hung[2] as number, 200, 1);
    bench.breaker.answered(hung[3] as number, 200, 1);
    expect(bench.breaker.state).toBe('probing');
    bench.answer();
    bench.answer();
    for (const serial of hung.slice(4)) bench.breaker.failed(serial, 0);
    expect([bench.breaker.state, bench.breaker.counts.attempts]).toEqual(['passing', 0]);
  });

  test('a probe whose client leaves makes room for another one', () => {
    const bench = tripped();
    bench.clock.advance(1_000);
    const serial = bench.begin();
    expect(bench.breaker.admits).toBe(false);
    bench.breaker.ended(serial);
    expect([bench.breaker.state, bench.breaker.admits]).toEqual(['probing', true]);
  });

  test('lets everything pass for good, without a timer, once it is retired', () => {
    const bench = tripped();
    bench.breaker.retire();
    expect([bench.breaker.admits, bench.moves.at(-1), bench.clock.pending]).toEqual([true, true, 0]);
    bench.fail(10);
    expect(bench.breaker.state).toBe('passing');
  });

  test('takes on another policy without forgetting what it knows, but for a window of another length', () => {
    const bench = new Bench();
    bench.fail(3);
    bench.breaker.adopt({ ...POLICY, minimum: 3 });
    expect(bench.breaker.counts).toEqual({ attempts: 3, failures: 3 });
    bench.fail();
    expect(bench.breaker.state).toBe('tripped');
    const other = new Bench();
    other.fail(3);
    other.breaker.adopt({ ...POLICY, windowMs: 20_000 });
    expect(other.breaker.counts).toEqual({ attempts: 0, failures: 0 });
  });
});

type Act = { readonly act: 'begin' | 'answer' | 'break' | 'fail' | 'leave' | 'wait'; readonly which: number };

const acts = fc.array(
  fc.record({
    act: fc.constantFrom('begin', 'begin', 'begin', 'answer', 'break', 'fail', 'leave', 'wait'),
    which: fc.nat(12_000),
  }) as fc.Arbitrary<Act>,
  { maxLength: 200 },
);

test('whatever happens in whichever order: probes stay within their number, states follow each other as they may, one timer at most', () => {
  const followers = { passing: ['tripped'], tripped: ['probing'], probing: ['tripped', 'passing'] };
  fc.assert(
    fc.property(acts, fc.integer({ min: 1, max: 3 }), (sequence, probes) => {
      const bench = new Bench({ probes, consecutive: 3 });
      const { breaker, clock } = bench;
      const open: number[] = [];
      const probing = new Set<number>();
      for (const { act, which } of sequence) {
        const serial = open[which % Math.max(1, open.length)];
        if (act === 'wait') clock.advance(which);
        else if (act === 'begin') {
          if (!breaker.admits) continue;
          const begun = bench.begin();
          open.push(begun);
          if (breaker.state === 'probing') probing.add(begun);
        } else if (serial !== undefined) {
          if (act === 'answer') breaker.answered(serial, 200, 1);
          else if (act === 'break') breaker.answered(serial, 503, 1);
          else if (act === 'fail') breaker.failed(serial, 0);
          breaker.ended(serial);
          open.splice(open.indexOf(serial), 1);
          probing.delete(serial);
        }
        if (breaker.state !== 'probing') probing.clear();
        expect(probing.size).toBeLessThanOrEqual(probes);
        expect(clock.pending).toBe(breaker.state === 'tripped' ? 1 : 0);
        expect(bench.moves.length === 0 || bench.moves.at(-1) === breaker.admits).toBe(true);
      }
      let before: keyof typeof followers = 'passing';
      for (const { state } of bench.changes) {
        expect(followers[before]).toContain(state);
        before = state;
      }
    }),
    { seed: 4, numRuns: 300 },
  );
});

test('the window counts what lies in its last nine tenths for certain, and nothing that is older than it', () => {
  const results = fc.array(fc.record({ after: fc.nat(700), failed: fc.boolean() }), { maxLength: 100 });
  fc.assert(
    fc.property(results, fc.nat(100_000), (sequence, start) => {
      const window = new ResultWindow(1_000);
      let now = start;
      const all: { at: number; failed: boolean }[] = [];
      for (const { after, failed } of sequence) {
        now += after;
        all.push({ at: now, failed });
        window.add(now, { failed, answered: true, slow: false });
      }
      const certain = all.filter(({ at }) => at > now - 900);
      const possible = all.filter(({ at }) => at > now - 1_000);
      expect(window.attempts).toBeGreaterThanOrEqual(certain.length);
      expect(window.attempts).toBeLessThanOrEqual(possible.length);
      const failures = (of: typeof all) => of.filter(({ failed }) => failed).length;
      expect(window.failures).toBeGreaterThanOrEqual(failures(certain));
      expect(window.failures).toBeLessThanOrEqual(failures(possible));
    }),
    { seed: 4 },
  );
});
