import { totalmem } from 'node:os';
import { constants, PerformanceObserver } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';

/**
 * Share of its memory that the process uses: of the heap's limit what was left after the last full collection of garbage, since what is
 * only not collected yet is no need; of the container's limit the resident set. The larger of the two.
 */
export class MemoryGauge {
  readonly #limitBytes = containerLimit();
  #heap = 0;
  readonly #collections = new PerformanceObserver((list) => {
    // What the entries of Node's own types have besides.
    for (const { detail } of list.getEntries() as readonly { readonly detail?: { readonly kind?: number } }[]) {
      if (detail?.kind !== constants.NODE_PERFORMANCE_GC_MAJOR) continue;
      const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
      this.#heap = used / limit;
    }
  });

  start(): void {
    this.#collections.observe({ entryTypes: ['gc'] });
  }

  stop(): void {
    this.#collections.disconnect();
  }

  /** From 0 to 1, and above where a limit is none. About 10 µs. */
  read(): number {
    const resident = this.#limitBytes === null ? 0 : process.memoryUsage.rss() / this.#limitBytes;
    return Math.max(resident, this.#heap);
  }
}

/** Of the control group; `null` without one that is less than the machine. */
function containerLimit(): number | null {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : null;
}
