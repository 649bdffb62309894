import type { DiskPhase, DiskTier } from './disk-tier.ts';

/** The cache's second tier, as `headgate status` tells of it. Counts since the start. */
export interface CacheDiskStatus {
  readonly path: string;
  readonly phase: DiskPhase;
  /** With those that wait to be written. */
  readonly entries: number;
  readonly bytes: number;
  /** Bound on the above. */
  readonly sizeBytes: number;
  readonly headBytes: number;
  /** Responses that wait to be written, or are. */
  readonly queued: number;
  /** Files that are being read. */
  readonly openFiles: number;
  readonly reads: number;
  readonly writes: number;
  readonly evictions: number;
  /** By why. */
  readonly dropped: Readonly<Record<string, number>>;
  readonly corrupt: Readonly<Record<string, number>>;
  /** By operation and the system's code. */
  readonly errors: Readonly<Record<string, number>>;
}

export function cacheDiskStatus(disk: DiskTier): CacheDiskStatus {
  const { path, phase, entries, fileBytes: bytes, sizeBytes, headBytes, queued, openFiles, counts } = disk;
  const { reads, writes, evictions } = counts;
  return {
    ...{ path, phase, entries, bytes, sizeBytes, headBytes, queued, openFiles, reads, writes, evictions },
    dropped: Object.fromEntries(counts.declined),
    corrupt: Object.fromEntries(counts.corrupt),
    errors: Object.fromEntries(counts.errors),
  };
}
