import { residentBytes } from './process-facts.ts';

const SAMPLE_MS = 50;

/** The highest resident memory of a process while `during` lasts, in bytes. */
export async function peakOf<T>(pid: number, during: () => Promise<T>): Promise<{ peakBytes: number; result: T }> {
  let peakBytes = residentBytes(pid);
  const sample = (): void => {
    peakBytes = Math.max(peakBytes, residentBytes(pid));
  };
  const timer = setInterval(sample, SAMPLE_MS);
  try {
    const result = await during();
    sample();
    return { peakBytes, result };
  } finally {
    clearInterval(timer);
  }
}
