import type { Clock } from '../clock.ts';

/**
 * Takes steps until one says that it was the last, one in each turn of the event loop, so that nothing waits for more than one of
 * them.
 */
export async function inSlices(step: () => 'more' | 'done'): Promise<void> {
  while (step() === 'more') await nextTurn();
}

/** One slice is over after so long, looked at after each step. */
const SLICE_MS = 3;

/**
 * Takes all steps, and gives way to everybody else whenever a slice is over: whoever waits for the event loop waits for 3 ms and one step.
 * Rejects with what a step throws.
 */
export async function sliced<T>(steps: Generator<void, T>, clock: Pick<Clock, 'monotonic'>): Promise<T> {
  for (;;) {
    const until = clock.monotonic() + SLICE_MS;
    do {
      const step = steps.next();
      if (step.done === true) return step.value;
    } while (clock.monotonic() < until);
    await nextTurn();
  }
}

/** Takes all steps without giving way. */
export function atOnce<T>(steps: Generator<void, T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done === true) return step.value;
  }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
