import type { Metrics } from './metrics.ts';

export interface CollapseSource {
  readonly flights: { readonly resources: number; readonly waiters: number };
  readonly fillMemory: { readonly usedBytes: number };
}

/** Adds the gauges of what is on its way into the cache; `source` is asked when somebody reads them. */
export function addCollapseMetrics(metrics: Metrics, source: CollapseSource): void {
  const gauge = (name: string, help: string, read: () => number) =>
    metrics.gauge(name, { help, labels: [], read: (set) => set({}, read()) });
  gauge(
    'headgate_cache_flights_in_flight',
    'Resources that an endpoint is being asked for, or that are arriving',
    () => source.flights.resources,
  );
  gauge('headgate_cache_waiting', "Requests that wait for another one's answer", () => source.flights.waiters);
  gauge('headgate_cache_fill_bytes', 'Memory of bodies on their way into the cache', () => source.fillMemory.usedBytes);
}
