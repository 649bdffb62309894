type Stop = () => unknown;

const ofTest: Stop[] = [];
const ofFile: Stop[] = [];

/** Runs `stop` after the current test, the last opened first, whether the test passed or not. */
export function stopAfterTest(stop: Stop): void {
  ofTest.push(stop);
}

/** Runs `stop` after the last test of the current file, the last opened first. */
export function stopAfterFile(stop: Stop): void {
  ofFile.push(stop);
}

/** What `stopAfterTest` has been given since the last time. For test/kit/setup.ts. */
export function stopTest(): Promise<void> {
  return stopAll(ofTest);
}

/** What `stopAfterFile` has been given since the last time. For test/kit/setup.ts. */
export function stopFile(): Promise<void> {
  return stopAll(ofFile);
}

async function stopAll(opened: Stop[]): Promise<void> {
  const failures: unknown[] = [];
  // One at a time and in reverse: a gateway must be gone before the origins that it talks to.
  for (let stop = opened.pop(); stop !== undefined; stop = opened.pop()) {
    try {
      await stop();
    } catch (error) {
      // The others are this test's too, and not the next one's.
      failures.push(error);
    }
  }
  if (failures.length > 1) throw new AggregateError(failures, failures.map(String).join('; '));
  if (failures.length === 1) throw failures[0];
}
