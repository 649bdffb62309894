import type { Metrics } from './metrics.ts';

/** Adds the gauges of routes that are out of service by hand; `outages` is asked when somebody reads the metrics. */
export function addMaintenanceMetrics(
  metrics: Metrics,
  outages: () => { readonly all: object | null; readonly routes: readonly { readonly route: string }[] },
): void {
  metrics.gauge('headgate_maintenance', {
    help: 'Whether all routes are out of service by hand',
    labels: [],
    read: (set) => set({}, outages().all === null ? 0 : 1),
  });
  metrics.gauge('headgate_route_maintenance', {
    help: '1 for each route that is out of service by its own switch',
    labels: ['route'],
    read: (set) => {
      for (const { route } of outages().routes) set({ route }, 1);
    },
  });
}
