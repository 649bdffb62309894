import type { SharedCache } from '../cache/shared-cache.ts';

/** What is stored, and what is on its way. */
export interface CacheStatus {
  readonly entries: number;
  readonly bytes: number;
  /** Resources that an endpoint is being asked for, or that are arriving. */
  readonly arriving: number;
  /** Of bodies on their way into the store. */
  readonly arrivingBytes: number;
  /** Requests that wait for another one's answer. */
  readonly waiting: number;
}

export function cacheStatus({ store, flights, fillMemory }: SharedCache): CacheStatus {
  return {
    entries: store.entries,
    bytes: store.bytes,
    arriving: flights.resources,
    arrivingBytes: fillMemory.usedBytes,
    waiting: flights.waiters,
  };
}
