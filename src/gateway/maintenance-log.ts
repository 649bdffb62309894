import type { MaintenanceNote } from '../control/maintenance-control.ts';
import type { Logger } from '../observe/log.ts';

/** One line for each time that somebody takes a route out of service or puts it back. */
export function logMaintenance(log: Logger, { route, on, retryAfterSeconds, by }: MaintenanceNote): void {
  const { via, address } = by;
  const fields = { route: route ?? 'all', via, ...(address === null ? {} : { address }) };
  if (on) log.warn({ ...fields, retryAfterSeconds }, 'Out of service: clients get 503');
  else log.info(fields, 'Back in service');
}
