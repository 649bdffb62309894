import type { GatewayStatus } from '../control/status.ts';
import { type AdminAccess, askAdmin } from './admin-client.ts';
import { answered, type Outputs, plain } from './admin-outcome.ts';
import type { ExitCode } from './exit-codes.ts';
import { table } from './table.ts';

/** `headgate status`: what a running gateway says of itself. */
export function showStatus(access: AdminAccess, json: boolean, outputs: Outputs): Promise<ExitCode> {
  return answered(() => askAdmin(access, { method: 'GET', path: '/status', body: null }), {
    ...outputs,
    json,
    text: (body) => statusText(body as GatewayStatus),
  });
}

/** A table for listeners and one for endpoints. Ends with a line end. */
export function statusText(status: GatewayStatus): string {
  const { version, startedAt, phase, routes, overload, listeners, pools, cacheDisk } = status;
  const state = overload?.active === true ? `${phase}, overloaded,` : phase;
  const head = `${state} since ${startedAt}, version ${version}, ${routes} ${routes === 1 ? 'route' : 'routes'}${reloadedAt(status.lastReload)}\n`;
  const doors = listeners.map(({ name, url, connections }) => [name, url, `${connections}`]);
  const endpoints = pools.flatMap((pool) =>
    pool.endpoints.map(
      ({
        origin,
        priority,
        health,
        standing,
        weight,
        weightByHand,
        inFlight,
        inFlightLimit,
        sessions,
        connections,
      }) => [
        ...[pool.panicking ? `${pool.name} (panic)` : pool.name, origin, `${priority}`, health, standing],
        weightByHand === null ? `${weight}` : `${weightByHand} by hand (${weight})`,
        ...[
          inFlightLimit === null ? `${inFlight}` : `${inFlight} of ${inFlightLimit}`,
          sessions === null ? '' : `${sessions}`,
          `${connections.busy} of ${connections.open} busy`,
        ],
      ],
    ),
  );
  return [
    plain(head.trimEnd()).concat('\n'),
    table(['LISTENER', 'URL', 'CONNECTIONS'], doors),
    ...workerTable(status.workers),
    table(
      ['POOL', 'ENDPOINT', 'PRIORITY', 'HEALTH', 'STANDING', 'WEIGHT', 'IN FLIGHT', 'SESSIONS', 'CONNECTIONS'],
      endpoints,
    ),
    ...limitTable(pools),
    ...cacheDiskTable(cacheDisk),
    ...maintenanceTable(status.maintenance),
    ...quarantineTable(status.quarantined),
    ...refusedReload(status.lastReload),
  ].join('\n');
}

function reloadedAt(report: GatewayStatus['lastReload']): string {
  return report?.result === 'applied' ? `, reloaded ${report.at}` : '';
}

/** Nothing where one process serves. */
function workerTable(workers: GatewayStatus['workers']): readonly string[] {
  if (workers === null) return [];
  const rows = workers.map(({ number, pid, startedAt, restarts }) => [
    ...[`${number}`, pid === null ? 'none' : `${pid}`, startedAt ?? 'is started again', `${restarts}`],
  ]);
  return [table(['WORKER', 'PROCESS', 'SINCE', 'RESTARTS'], rows)];
}

/** Nothing where everything is in service. */
function maintenanceTable({ all, routes }: GatewayStatus['maintenance']): readonly string[] {
  const rows = routes.map(({ route, since, retryAfterSeconds }) => [`route ${route}`, since, `${retryAfterSeconds} s`]);
  if (all !== null) rows.unshift(['all routes', all.since, `${all.retryAfterSeconds} s`]);
  return rows.length === 0 ? [] : [table(['OUT OF SERVICE', 'SINCE', 'CLIENTS COME AGAIN IN'], rows)];
}

const EFFECTS: Readonly<Record<GatewayStatus['quarantined'][number]['effect'], string>> = {
  refused: 'refuses',
  reduced: 'does without it',
  'left-out': 'left out',
  kept: 'kept as it was',
  'never-chosen': 'never chosen',
};

/** Nothing where everything is in service. */
function quarantineTable(quarantined: GatewayStatus['quarantined']): readonly string[] {
  if (quarantined.length === 0) return [];
  const rows = quarantined.map(({ kind, name, effect, file, line, column, message }) => [
    ...[`${kind} ${name}`, EFFECTS[effect], `${file}:${line}:${column}`, plain(message)],
  ]);
  return [table(['QUARANTINED', 'WHAT IT DOES', 'WHERE', 'WHY'], rows)];
}

/** Nothing unless the files hold something else than what is served. */
function refusedReload(report: GatewayStatus['lastReload']): readonly string[] {
  if (report === null || report.result === 'applied') return [];
  const { at, diagnostics, obstacle } = report;
  const [first, ...more] = diagnostics;
  const why = first === undefined ? obstacle : `${first.file}:${first.line}:${first.column}: ${first.message}`;
  const others = more.length === 0 ? '' : ` (and ${more.length} more)`;
  return [
    `${plain(`The reload of ${at} was refused: ${why ?? ''}${others}`)}\nThe configuration before it serves on.\n`,
  ];
}

/** Nothing where the cache is in memory only. */
function cacheDiskTable(disk: GatewayStatus['cacheDisk']): readonly string[] {
  if (disk === null) return [];
  const { path, phase, entries, bytes, sizeBytes, writes, dropped, corrupt } = disk;
  const share = `${Math.round((100 * bytes) / Math.max(1, sizeBytes))} % of ${Math.round(sizeBytes / 1024 ** 2)} MiB`;
  const row = [path, phase, `${entries}`, share, `${writes}`, `${sum(dropped)}`, `${sum(corrupt)}`];
  return [table(['CACHE DISK', 'STATE', 'RESPONSES', 'FULL', 'WRITTEN', 'NOT WRITTEN', 'CORRUPT'], [row])];
}

function sum(counts: Readonly<Record<string, number>>): number {
  return Object.values(counts).reduce((total, count) => total + count, 0);
}

/** Nothing where no pool has limits. */
function limitTable(pools: GatewayStatus['pools']): readonly string[] {
  const rows = pools.flatMap(({ name, limits }) => {
    if (limits === null) return [];
    const { inFlight, inFlightLimit, queued, served, refused, shedding } = limits;
    const turnedAway = refused['queue-full'] + refused['queue-timeout'] + refused.shed;
    const flight = inFlightLimit === null ? `${inFlight}` : `${inFlight} of ${inFlightLimit}`;
    return [[name, flight, shedding ? `${queued}, newest first` : `${queued}`, `${served}`, `${turnedAway}`]];
  });
  return rows.length === 0 ? [] : [table(['POOL', 'IN FLIGHT', 'WAITING', 'HAVE WAITED', 'REFUSED'], rows)];
}
