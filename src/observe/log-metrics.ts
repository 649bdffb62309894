import type { Metrics } from './metrics.ts';

/** Adds the metrics of the logs; `dropped` is asked for when somebody reads them: lines by log, `gateway` or `access`. */
export function addLogMetrics(metrics: Metrics, dropped: () => ReadonlyMap<string, number>): void {
  metrics.counter('headgate_log_lines_dropped_total', {
    help: 'Lines that were not written because the disk, or the reader of a pipe, took too long or refused them',
    labels: ['log'],
    tally: { entries: () => Array.from(dropped(), ([log, count]) => [[log], count] as const) },
  });
}
