import type { ListedEndpoint } from './listed-endpoint.ts';

/** One SRV record (RFC 2782). */
export interface SrvRecord {
  readonly target: string;
  readonly port: number;
  /** 0–65535; the lowest comes first. */
  readonly priority: number;
  /** 0–65535, among records of the same priority. */
  readonly weight: number;
}

/** As far as weights and priorities of endpoints go. */
const MOST_WEIGHT = 1000;
const LAST_PRIORITY = 100;
/** What may go into `Host` and into a handshake. */
const HOST_NAME = /^[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?$/;

/**
 * The endpoints that SRV records list. Priorities become 0 for the lowest, 1 for the next, and so on. Larger weights than an
 * endpoint may have are scaled down together with those of the same priority. Weight 0 becomes the smallest share: by the algorithm
 * of RFC 2782 such a record gets 1 in (sum of the others + 1), unless all have 0, when they share alike. The target `.` says that
 * there is no such service; a target that is no host name is passed over.
 */
export function endpointsOfSrv(records: readonly SrvRecord[], secure: boolean): ListedEndpoint[] {
  const largest = new Map<number, number>();
  for (const { priority, weight } of records) largest.set(priority, Math.max(largest.get(priority) ?? 0, weight));
  const priorities = [...largest.keys()].sort((a, b) => a - b);
  return records
    .map((record) => ({ ...record, host: record.target.toLowerCase().replace(/\.$/, '') }))
    .filter(({ host, port }) => HOST_NAME.test(host) && port > 0)
    .map(({ host, port, priority, weight }) => {
      const scale = Math.min(1, MOST_WEIGHT / Math.max(1, largest.get(priority) ?? 0));
      return {
        address: { secure, host, port },
        weight: Math.max(1, Math.round(weight * scale)),
        priority: Math.min(LAST_PRIORITY, priorities.indexOf(priority)),
      };
    });
}
