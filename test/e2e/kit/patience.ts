/** How long a test waits for what takes a moment: far above what it ever takes on two busy cores. */
export const PATIENCE_MS = 15_000;

/** Rejects, saying what was waited for, when `promise` does not settle: a hang becomes a failure with a name. */
export async function within<T>(promise: Promise<T>, what: string, patienceMs = PATIENCE_MS): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`Waited ${patienceMs} ms for ${what}`)), patienceMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Another process can only be asked again and again: this is how often. */
const LOOK_AGAIN_MS = 50;

/** Resolves with the first value of `look` that is not `null`, looking again until `patienceMs` have passed. */
export async function eventually<T>(
  look: () => T | null | Promise<T | null>,
  what: string,
  patienceMs = PATIENCE_MS,
): Promise<T> {
  const end = performance.now() + patienceMs;
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    if (performance.now() > end) throw new Error(`Waited ${patienceMs} ms for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_AGAIN_MS));
  }
}
