import { afterEach } from 'vitest';

type Stop = () => unknown;

const opened: Stop[] = [];

/** Runs `stop` after the current test, the last opened first, whether the test passed or not. */
export function stopAfterTest(stop: Stop): void {
  opened.push(stop);
}

afterEach(async () => {
  // One at a time and in reverse: a gateway must be gone before the origins that it talks to.
  for (let stop = opened.pop(); stop !== undefined; stop = opened.pop()) await stop();
});
