import { type Clock, systemClock } from '../../src/clock.ts';

/**
 * A clock on which `times` as much time passes as on the system's: for what waits between one look and the next, where no ManualClock can
 * tell when it has to move. Not where something must not take longer than it says: a busy machine is `times` as slow to it.
 */
export function hastyClock(times = 10): Clock {
  const startMs = systemClock.now();
  const atStart = systemClock.monotonic();
  const passedMs = (): number => (systemClock.monotonic() - atStart) * times;
  return {
    now: () => Math.floor(startMs + passedMs()),
    monotonic: passedMs,
    after: (delayMs, callback) => systemClock.after(delayMs / times, callback),
    cancel: systemClock.cancel,
  };
}
