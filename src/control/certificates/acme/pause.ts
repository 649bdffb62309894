import type { Clock } from '../../../clock.ts';

/** Resolves after `delayMs`; rejects with the signal's reason as soon as it is aborted. */
export function pause(clock: Clock, delayMs: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  if (signal.aborted) {
    reject(signal.reason);
    return promise;
  }
  const aborted = (): void => {
    clock.cancel(timer);
    reject(signal.reason);
  };
  const timer = clock.after(delayMs, () => {
    signal.removeEventListener('abort', aborted);
    resolve();
  });
  signal.addEventListener('abort', aborted, { once: true });
  return promise;
}
