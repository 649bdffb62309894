import type { Metrics } from './metrics.ts';

/** Adds the gauges of bodies that are read to find the route; `prefixes` is asked when somebody reads the metrics. */
export function addBodyMetrics(
  metrics: Metrics,
  prefixes: () => { readonly takenBytes: number; readonly waiting: number },
): void {
  metrics.gauge('headgate_body_prefix_bytes', {
    help: 'Memory for bodies that are read to find their route (match.body)',
    labels: [],
    read: (set) => set({}, prefixes().takenBytes),
  });
  metrics.gauge('headgate_body_prefix_waiting', {
    help: 'Requests whose body is not read yet because that memory has no room',
    labels: [],
    read: (set) => set({}, prefixes().waiting),
  });
}
