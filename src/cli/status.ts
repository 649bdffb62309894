import type { GatewayStatus } from '../control/status.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';

/** `headgate status`: what a running gateway says of itself. */
export function showStatus(access: AdminAccess, json: boolean, outputs: Outputs): Promise<ExitCode> {
  return answered(() => askAdmin(access, { method: 'GET', path: '/status', body: null }), {
    ...outputs,
    json,
    text: (body) => statusText(body as GatewayStatus),
  });
}

/** A table for listeners and one for endpoints. Ends with a line end. */
export function statusText({ version, startedAt, phase, routes, listeners, pools }: GatewayStatus): string {
  const head = `${phase} since ${startedAt}, version ${version}, ${routes} ${routes === 1 ? 'route' : 'routes'}\n`;
  const doors = listeners.map(({ name, url, connections }) => [name, url, `${connections}`]);
  const endpoints = pools.flatMap((pool) =>
    pool.endpoints.map(
      ({ origin, priority, health, standing, weight, weightByHand, inFlight, sessions, connections }) => [
        ...[pool.panicking ? `${pool.name} (panic)` : pool.name, origin, `${priority}`, health, standing],
        weightByHand === null ? `${weight}` : `${weightByHand} by hand (${weight})`,
        ...[`${inFlight}`, sessions === null ? '' : `${sessions}`, `${connections.busy} of ${connections.open} busy`],
      ],
    ),
  );
  return [
    plain(head.trimEnd()).concat('\n'),
    table(['LISTENER', 'URL', 'CONNECTIONS'], doors),
    table(
      ['POOL', 'ENDPOINT', 'PRIORITY', 'HEALTH', 'STANDING', 'WEIGHT', 'IN FLIGHT', 'SESSIONS', 'CONNECTIONS'],
      endpoints,
    ),
  ].join('\n');
}

/** Columns as wide as they need to be, two blanks between them. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [head, ...rows.map((row) => row.map(plain))];
  const widths = head.map((_, i) => Math.max(...all.map((row) => (row[i] ?? '').length)));
  return all
    .map(
      (row) =>
        `${row
          .map((cell, i) => cell.padEnd(widths[i] ?? 0))
          .join('  ')
          .trimEnd()}\n`,
    )
    .join('');
}
