import type { Metrics } from './metrics.ts';
import type { SpanCounts } from './trace/span-exporter.ts';

/** Adds the metrics of the export of spans, which is asked for when somebody reads them. */
export function addTraceMetrics(metrics: Metrics, counts: SpanCounts, queued: () => number): void {
  const counter = (name: string, help: string, read: () => number): void =>
    metrics.counter(name, { help, labels: [], tally: { entries: () => [[[], read()] as const] } });
  counter('headgate_trace_spans_exported_total', 'Spans that a collector has taken', () => counts.exported);
  counter('headgate_trace_export_failures_total', 'Requests to a collector without success', () => counts.failures);
  metrics.counter('headgate_trace_spans_dropped_total', {
    help: 'Spans that no collector got, by why',
    labels: ['reason'],
    tally: { entries: () => Array.from(counts.dropped, ([why, count]) => [[why], count] as const) },
  });
  metrics.gauge('headgate_trace_queue_length', {
    help: 'Spans that wait to be sent',
    labels: [],
    read: (set) => set({}, queued()),
  });
}
