import { expect, test } from 'vitest';
import type { Clock } from '../../../src/clock.ts';
import { EventLoopMetrics } from '../../../src/observe/event-loop-metrics.ts';
import { Metrics } from '../../../src/observe/metrics.ts';

/** A clock whose one timer fires as late as the test says. */
class LateClock implements Clock {
  #now = 1_000;
  #timer: { readonly dueMs: number; readonly callback: () => void } | null = null;

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): object {
    this.#timer = { dueMs: this.#now + delayMs, callback };
    return this.#timer;
  }

  cancel(): void {
    this.#timer = null;
  }

  get isSet(): boolean {
    return this.#timer !== null;
  }

  fire(lateMs: number): void {
    const timer = this.#timer;
    if (timer === null) throw new Error('No timer is set');
    this.#timer = null;
    this.#now = timer.dueMs + lateMs;
    timer.callback();
  }
}

test('how late the event loop is, is counted at every look; and nobody looks any more after stop', async () => {
  const clock = new LateClock();
  const metrics = new Metrics();
  const eventLoop = new EventLoopMetrics(metrics, clock);
  expect(clock.isSet).toBe(false);
  eventLoop.start();
  for (const lateMs of [0, 0.5, 30, 30, 400]) clock.fire(lateMs);
  eventLoop.stop();
  expect(clock.isSet).toBe(false);
  const lines = (await metrics.expose('')).pieces.join('').split('\n');
  expect(lines).toEqual(
    expect.arrayContaining([
      'headgate_event_loop_lag_seconds_bucket{le="0.001"} 2',
      'headgate_event_loop_lag_seconds_bucket{le="0.02"} 2',
      'headgate_event_loop_lag_seconds_bucket{le="0.05"} 4',
      'headgate_event_loop_lag_seconds_bucket{le="0.5"} 5',
      'headgate_event_loop_lag_seconds_count 5',
    ]),
  );
});
