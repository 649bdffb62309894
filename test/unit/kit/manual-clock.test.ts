import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';

describe('the manual clock', () => {
  test('runs timers in the order they are due, each at its own time, ties in the order they were set', () => {
    const clock = new ManualClock(1_000);
    const ran: string[] = [];
    const note = (name: string) => () => ran.push(`${name}@${clock.monotonic()}`);
    clock.after(20, note('b'));
    clock.after(10, note('a'));
    clock.after(20, note('c'));
    clock.after(31, note('d'));
    clock.advance(30);
    expect(ran).toEqual(['a@10', 'b@20', 'c@20']);
    expect([clock.monotonic(), clock.now(), clock.pending]).toEqual([30, 1_030, 1]);
  });

  test('runs what a timer sets, if it is due in time, and nothing that was cancelled', () => {
    const clock = new ManualClock();
    let ticks = 0;
    const tick = () => {
      ticks += 1;
      clock.after(10, tick);
    };
    clock.after(10, tick);
    clock.cancel(clock.after(5, () => expect.unreachable()));
    clock.advance(35);
    expect(ticks).toBe(3);
  });
});
