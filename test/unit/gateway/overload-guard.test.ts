import { expect, test } from 'vitest';
import type { Clock, TimerHandle } from '../../../src/clock.ts';
import { MemoryGauge } from '../../../src/gateway/memory-gauge.ts';
import { OverloadGuard } from '../../../src/gateway/overload-guard.ts';
import { createLog } from '../../../src/observe/log.ts';
import { Metrics } from '../../../src/observe/metrics.ts';
import { seededRandom } from '../upstream/endpoints.ts';

/** A clock whose timers fire late. */
class LateClock implements Clock {
  #nowMs = 0;
  #timer: { readonly dueMs: number; readonly callback: () => void } | null = null;

  now(): number {
    return this.#nowMs;
  }

  monotonic(): number {
    return this.#nowMs;
  }

  after(delayMs: number, callback: () => void): TimerHandle {
    this.#timer = { dueMs: this.#nowMs + delayMs, callback };
    return this.#timer;
  }

  cancel(): void {
    this.#timer = null;
  }

  get idle(): boolean {
    return this.#timer === null;
  }

  fire(lateMs: number): void {
    const timer = this.#timer;
    if (timer === null) throw new Error('No timer is set');
    this.#timer = null;
    this.#nowMs = timer.dueMs + lateMs;
    timer.callback();
  }
}

function guarded(options = { eventLoopDelayMs: 500, memory: 0 }) {
  const clock = new LateClock();
  const lines: string[] = [];
  const sink = {
    write: (line: string) => void lines.push(line),
    flushSync: () => {},
    flushed: async () => {},
    reopen: () => {},
  };
  const log = createLog(sink, 'info');
  const metrics = new Metrics();
  const guard = new OverloadGuard(options, { clock, random: seededRandom(1), log, metrics });
  guard.start();
  return { clock, guard, lines };
}

test('an event loop that is late again and again is overload, and is in the log once as it begins and once as it ends', () => {
  const { clock, guard, lines } = guarded();
  for (let i = 0; i < 10; i += 1) clock.fire(700);
  expect(guard.overload?.status()).toMatchObject({ active: true, eventLoopDelayMs: 700 });
  for (let i = 0; i < 20; i += 1) clock.fire(3);
  expect(guard.overload.active).toBe(false);
  expect(lines.map((line) => JSON.parse(line).msg)).toEqual([
    'Overloaded: requests are refused',
    'No longer overloaded',
  ]);
  guard.stop();
  expect(clock.idle).toBe(true);
});

test('one stall of the event loop is not', () => {
  const { clock, guard, lines } = guarded();
  for (let i = 0; i < 30; i += 1) clock.fire(i % 5 === 0 ? 30_000 : 1);
  expect([guard.overload.active, lines]).toEqual([false, []]);
  guard.stop();
});

test('what is switched off sets no timer', () => {
  const { clock, guard } = guarded({ eventLoopDelayMs: 0, memory: 0 });
  guard.start();
  expect([guard.status(), guard.overload.active, clock.idle]).toEqual([null, false, true]);
});

test('memory is a share of what the process may have', () => {
  const gauge = new MemoryGauge();
  gauge.start();
  const share = gauge.read();
  gauge.stop();
  expect(share >= 0 && share < 1).toBe(true);
});
