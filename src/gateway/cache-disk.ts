import type { Clock } from '../clock.ts';
import type { CacheConfig } from '../config/schema/cache.ts';
import type { DiskEvent, DiskObserver } from '../control/cache-disk/disk-events.ts';
import { DiskTier } from '../control/cache-disk/disk-tier.ts';
import { addCacheDiskMetrics } from '../observe/cache-disk-metrics.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';

/** The disk of the cache, not started, with its log lines and metrics; `null` where none is configured. */
export function cacheDisk(
  { disk, objectSize }: CacheConfig,
  parts: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics },
): DiskTier | null {
  if (disk === undefined) return null;
  const { clock, log, metrics } = parts;
  const observer: DiskObserver = { disk: (event) => logDisk(log, event) };
  const { path, size: sizeBytes, heads: headsBytes } = disk;
  const tier = new DiskTier({
    ...{ path, sizeBytes, headsBytes, objectBytes: objectSize },
    ...{ clock, observer, random: Math.random },
  });
  addCacheDiskMetrics(metrics, tier);
  return tier;
}

type Of<K extends DiskEvent['kind']> = Extract<DiskEvent, { readonly kind: K }>;

const lines: { readonly [K in DiskEvent['kind']]: (log: Logger, event: Of<K>) => void } = {
  opened: (log, { path }) => log.info({ path }, 'Cache disk is in use, and looks for what was stored before'),
  scanned: (log, { entries, bytes, removed }) =>
    log.info({ entries, bytes, removed }, 'Cache disk has found what was stored before'),
  unavailable: (log, { path, reason, retryMs }) =>
    log.error({ path, reason, retryMs }, 'Cache disk is not to be had: what is stored is in memory only'),
  suspended: logSuspended,
  resumed: (log) => log.info({}, 'Cache disk is tried again'),
  corrupt: (log, { why, count }) =>
    log.error({ why, count }, 'Files of the cache were not what was written, and are gone; nothing of them was served'),
};

function logSuspended(log: Logger, { operation, code, reads, forMs }: Of<'suspended'>): void {
  const what = reads ? 'Cache disk fails, and is left alone' : 'Cache disk takes no more for now';
  log.error({ operation, code, forMs }, what);
}

function logDisk<K extends DiskEvent['kind']>(log: Logger, event: Of<K>): void {
  const line = lines[event.kind as K] as (log: Logger, event: Of<K>) => void;
  line(log, event);
}
