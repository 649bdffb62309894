import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Crowd } from './crowd-client.ts';
import type { Peer } from './peers/peer.ts';
import { OTHER_CORE, type Running, residentMebibytes } from './processes.ts';
import { readPrinted } from './raw-client.ts';
import { markdownTable } from './report.ts';

const run = promisify(execFile);

/** Connections that a proxy holds, and how many of them have a request in flight at any time. */
const CONNECTIONS = 10_000;
const ACTIVE = 1_000;

export interface CrowdRow extends Crowd {
  readonly peer: string;
  readonly perSecond: number;
  readonly residentMiB: number;
}

/** Of a running proxy; `null` for one that is not configured for so many. */
export async function measureCrowd(peer: Peer, running: Running, seconds: number): Promise<CrowdRow | null> {
  if (peer.http === null || !peer.crowded) return null;
  process.stderr.write(`${peer.name}: ${CONNECTIONS} connections, ${ACTIVE} active\n`);
  const script = join(import.meta.dirname, 'crowd-client.ts');
  const numbers = [peer.http, CONNECTIONS, ACTIVE, seconds].map(String);
  const { stdout } = await run('taskset', ['-c', OTHER_CORE, process.execPath, script, ...numbers]);
  const crowd = readPrinted<Crowd>(stdout);
  return {
    peer: peer.name,
    ...crowd,
    perSecond: crowd.requests / seconds,
    residentMiB: residentMebibytes(running.pid),
  };
}

/** All of them together. */
export function errorsOf({ errors }: Crowd): number {
  return Object.values(errors).reduce((sum, count) => sum + count, 0);
}

export function printCrowd(rows: readonly CrowdRow[]): void {
  if (rows.length === 0) return;
  const header = ['proxy', 'connections', 'requests/s', 'p50 ms', 'p99 ms', 'RSS MiB', 'errors'];
  const lines = rows.map((row) => [
    ...[row.peer, row.opened.toString(), row.perSecond.toFixed(0), row.p50Ms.toFixed(1), row.p99Ms.toFixed(1)],
    ...[row.residentMiB.toFixed(0), `${errorsOf(row)}${reasons(row)}`],
  ]);
  process.stdout.write(
    `\n### ${CONNECTIONS} connections, ${ACTIVE} of them active\n\n${markdownTable(header, lines)}\n`,
  );
}

function reasons({ errors }: Crowd): string {
  const named = Object.entries(errors).filter(([, count]) => count > 0);
  return named.length === 0 ? '' : ` (${named.map(([why, count]) => `${why} ${count}`).join(', ')})`;
}
