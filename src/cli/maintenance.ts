import type { MaintenanceStatus, OutageStatus } from '../control/maintenance-control.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { MaintenanceOptions } from './commands/maintenance.ts';
import type { ExitCode } from './exit-codes.ts';

/** `headgate maintenance`: takes routes out of service and back, or tells which are. */
export function setMaintenance(
  { order, json }: Pick<MaintenanceOptions, 'order' | 'json'>,
  access: AdminAccess,
  outputs: Outputs,
): Promise<ExitCode> {
  if (order === null) {
    return answered(() => askAdmin(access, { method: 'GET', path: '/maintenance', body: null }), {
      ...outputs,
      json,
      text: (body) => maintenanceText(body as MaintenanceStatus),
    });
  }
  const { route, on, retryAfter } = order;
  const path = route === null ? '/maintenance' : `/routes/${encodeURIComponent(route)}/maintenance`;
  const body = { on, ...(retryAfter === null ? {} : { retryAfter }) };
  return answered(() => askAdmin(access, { method: 'PUT', path, body }), {
    ...outputs,
    json,
    text: (answer) => `${plain(sentence(answer as Changed))}\n`,
  });
}

interface Changed {
  readonly route: string | null;
  readonly maintenance: OutageStatus | null;
  readonly changed: boolean;
}

function sentence({ route, maintenance, changed }: Changed): string {
  return `${nameOf(route)}  ${stateOf(maintenance)}${changed ? '' : ', as it was before'}`;
}

/** A line for each that is out of service. */
export function maintenanceText({ all, routes }: MaintenanceStatus): string {
  const lines = [
    ...(all === null ? [] : [`${nameOf(null)}  ${stateOf(all)}`]),
    ...routes.map(({ route, ...outage }) => `${nameOf(route)}  ${stateOf(outage)}`),
  ];
  return lines.length === 0 ? 'Nothing is out of service\n' : lines.map((line) => `${plain(line)}\n`).join('');
}

function nameOf(route: string | null): string {
  return route === null ? 'all routes' : `route ${route}`;
}

function stateOf(outage: OutageStatus | null): string {
  if (outage === null) return 'in service';
  return `out of service since ${outage.since}, clients are told to come again in ${outage.retryAfterSeconds} s`;
}
