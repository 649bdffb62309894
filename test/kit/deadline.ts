/** How long a test waits for something that must come: far above what it ever takes, below the test's own limit. */
const PATIENCE_MS = 8_000;

/** Rejects, saying what was waited for, when `promise` does not settle: a hang becomes a failure with a name. */
export async function inTime<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${PATIENCE_MS} ms for ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves once `condition` holds, looking again after every turn of the event loop. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  let waiting = true;
  const looking = (async () => {
    while (waiting && !condition()) await new Promise((resolve) => setImmediate(resolve));
  })();
  try {
    await inTime(looking, what);
  } finally {
    waiting = false;
  }
}
