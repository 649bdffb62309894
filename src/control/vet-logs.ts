import type { Config } from '../config/schema/config.ts';
import { compileFilter } from '../filter/filter.ts';
import type { Complaints } from './complaints.ts';

/** The filter of the access log must be one. */
export function vetLogs({ accessLog }: Config, complaints: Complaints): void {
  if (accessLog.only === undefined) return;
  const filter = compileFilter(accessLog.only);
  if (filter.ok) return;
  complaints.add(['accessLog', 'only'], { message: `${filter.message} (column ${filter.column} of the filter)` });
}
