import { describe, expect, test } from 'vitest';
import { CoarseClock, type Deadline, systemClock } from '../../src/clock.ts';
import { ManualClock } from '../kit/manual-clock.ts';

function deadline(fired: string[], name: string): Deadline {
  return { at: 0, slot: 0, expire: () => void fired.push(name) };
}

test('the system’s clock takes a delay of months for a long one', async () => {
  const fired: string[] = [];
  const timer = systemClock.after(90 * 86_400_000, () => void fired.push('months'));
  await new Promise<void>((resolve) => void setTimeout(resolve, 5));
  systemClock.cancel(timer);
  expect(fired).toEqual([]);
});

describe('a coarse clock', () => {
  test('fires each deadline once, never early and at most a tick late', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 100);
    const fired: string[] = [];
    coarse.arm(deadline(fired, 'a'), 250);
    coarse.arm(deadline(fired, 'b'), 40);
    clock.advance(99);
    expect(fired).toEqual([]);
    clock.advance(1);
    expect(fired).toEqual(['b']);
    clock.advance(149);
    expect(fired).toEqual(['b']);
    clock.advance(51);
    expect(fired).toEqual(['b', 'a']);
    clock.advance(1000);
    expect(fired).toEqual(['b', 'a']);
  });

  test('forgets what is disarmed, whichever place it had', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 100);
    const fired: string[] = [];
    const all = ['a', 'b', 'c', 'd'].map((name) => deadline(fired, name));
    for (const one of all) coarse.arm(one, 50);
    coarse.disarm(all[0] as Deadline);
    coarse.disarm(all[2] as Deadline);
    coarse.disarm(all[2] as Deadline);
    clock.advance(100);
    expect(fired.sort()).toEqual(['b', 'd']);
  });

  test('counts anew from where a deadline is armed again, and takes 0 for no limit', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 100);
    const fired: string[] = [];
    const one = deadline(fired, 'a');
    coarse.arm(one, 150);
    clock.advance(100);
    coarse.arm(one, 150);
    clock.advance(100);
    expect(fired).toEqual([]);
    coarse.arm(one, 0);
    clock.advance(1000);
    expect(fired).toEqual([]);
  });

  test('lets one deadline disarm and arm others while it fires', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 100);
    const fired: string[] = [];
    const victim = deadline(fired, 'victim');
    const later = deadline(fired, 'later');
    const first: Deadline = {
      at: 0,
      slot: 0,
      expire: () => {
        fired.push('first');
        coarse.disarm(victim);
        coarse.arm(later, 50);
      },
    };
    coarse.arm(victim, 10);
    coarse.arm(first, 10);
    clock.advance(100);
    expect(fired).toEqual(['first']);
    clock.advance(100);
    expect(fired).toEqual(['first', 'later']);
  });

  test('does not tick while nothing is armed', () => {
    const clock = new ManualClock();
    const coarse = new CoarseClock(clock, 100);
    const one = deadline([], 'a');
    coarse.arm(one, 10);
    coarse.disarm(one);
    clock.advance(100);
    expect(clock.pending).toBe(0);
  });
});
