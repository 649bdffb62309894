import type { SharedCache } from '../cache/shared-cache.ts';
import type { Clock } from '../clock.ts';
import type { CacheConfig } from '../config/schema/cache.ts';
import { CacheAdmin } from '../control/cache-admin.ts';
import { type CacheDiskStatus, cacheDiskStatus } from '../control/cache-disk/disk-status.ts';
import type { DiskTier } from '../control/cache-disk/disk-tier.ts';
import { type CacheStatus, cacheStatus } from '../control/cache-status.ts';
import type { Compiled } from '../control/compile.ts';
import { sharedCache } from '../control/compile-cache.ts';
import { addCacheMetrics } from '../observe/cache-metrics.ts';
import { addCollapseMetrics } from '../observe/collapse-metrics.ts';
import { addEarlyHintMetrics } from '../observe/early-hint-metrics.ts';
import type { Logger } from '../observe/log.ts';
import type { Metrics } from '../observe/metrics.ts';
import { NamesInUse } from '../observe/names-in-use.ts';
import { addRefreshMetrics } from '../observe/refresh-metrics.ts';
import { cacheDisk } from './cache-disk.ts';
import { logPurge } from './purge-log.ts';

/** What waits to be written to the cache's disk when the gateway stops has this long. */
const DISK_PATIENCE_MS = 5_000;

/** What is stored, for all configurations that are served one after the other. */
export class Store {
  readonly cache: SharedCache;
  /** By hand: purges, lists, figures. */
  readonly admin: CacheAdmin;
  readonly #disk: DiskTier | null;
  readonly #routes: NamesInUse;

  constructor(config: CacheConfig, parts: { readonly clock: Clock; readonly log: Logger; readonly metrics: Metrics }) {
    const { clock, log, metrics } = parts;
    this.#disk = cacheDisk(config, parts);
    this.cache = sharedCache(config, this.#disk);
    this.admin = new CacheAdmin({
      cache: this.cache,
      clock,
      purged: (note) => logPurge(log, note),
      forgotten: async () => this.#disk?.forgotten(DISK_PATIENCE_MS),
    });
    addCollapseMetrics(metrics, this.cache);
    addRefreshMetrics(metrics, this.cache.refreshes);
    addCacheMetrics(metrics, this.cache);
    addEarlyHintMetrics(metrics, this.cache.links);
    this.#routes = new NamesInUse(clock);
    metrics.before(() => this.#forget());
  }

  /** From now on the routes that are served are these. */
  adopt({ routes }: Pick<Compiled, 'routes'>): void {
    this.#routes.adopt(new Set(['', ...routes.map(({ name }) => name)]));
    this.#forget();
    this.cache.keys.adopt(routes.flatMap(({ plan }) => plan.cache?.key?.query ?? []));
  }

  /** Counts of routes that are gone. */
  #forget(): void {
    if (this.#routes.settled) return;
    const kept = this.#routes.kept();
    for (const counts of [this.cache.tally, this.cache.refreshes, this.cache.links]) counts.retain(kept);
  }

  start(): void {
    this.#disk?.start();
  }

  /** Nothing is refreshed in the background any more. */
  stop(): void {
    this.cache.refreshes.close();
  }

  /** After `stop`: resolves when what waits to be written is, or has had its time. */
  async close(): Promise<void> {
    await this.#disk?.close(DISK_PATIENCE_MS);
  }

  status(): { readonly cache: CacheStatus; readonly cacheDisk: CacheDiskStatus | null } {
    return {
      cache: cacheStatus(this.cache),
      cacheDisk: this.#disk === null ? null : cacheDiskStatus(this.#disk),
    };
  }
}
