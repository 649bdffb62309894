import type { PurgeNote } from '../control/cache-admin.ts';
import type { Logger } from '../observe/log.ts';

/** A log line for a purge by hand. Those by HTTP method have their lines in the access log. */
export function logPurge(log: Logger, { kind, mode, purged, target, by }: PurgeNote): void {
  const { via, address } = by;
  log.info({ kind, mode, purged, target, via, ...(address === null ? {} : { address }) }, 'Cache purged by hand');
}
