import type { Metrics } from './metrics.ts';

/** What is asked when somebody reads the metrics. */
export interface ListenerSources {
  /** Open connections by listener name. */
  readonly connections: () => Iterable<readonly [listener: string, open: number]>;
  readonly certificates: () => Iterable<CertificateEnd>;
}

/** When a certificate ends. */
export interface CertificateEnd {
  readonly listener: string;
  /** The file, or what else it comes from. */
  readonly from: string;
  /** ISO 8601; `null` while nothing could be loaded. */
  readonly notAfter: string | null;
}

/** Adds the gauges of listeners and their certificates to `metrics`. */
export function addListenerMetrics(metrics: Metrics, sources: ListenerSources): void {
  metrics.gauge('headgate_connections', {
    help: 'Open client connections',
    labels: ['listener'],
    read: (set) => {
      for (const [listener, count] of sources.connections()) set({ listener }, count);
    },
  });
  metrics.gauge('headgate_certificate_not_after_seconds', {
    help: 'When a certificate ends, in seconds since 1970; 0 for one that can not be used',
    labels: ['listener', 'from'],
    read: (set) => {
      for (const { listener, from, notAfter } of sources.certificates()) {
        set({ listener, from }, notAfter === null ? 0 : Date.parse(notAfter) / 1000);
      }
    },
  });
}
