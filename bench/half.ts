import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { load } from './load.ts';
import type { Paced } from './paced-client.ts';
import type { Peer } from './peers/peer.ts';
import { cpuMicroseconds, OTHER_CORE, type Running } from './processes.ts';
import { readPrinted } from './raw-client.ts';
import { markdownTable } from './report.ts';

const run = promisify(execFile);

const WARM_UP_SECONDS = 5;

/** What clients wait for when a proxy is half as busy as it could be. */
export interface HalfRow extends Paced {
  readonly peer: string;
  readonly perSecond: number;
  readonly cpuPerRequestUs: number;
}

/**
 * The same number of requests a second for every proxy: half of Headgate's most. (Half of nginx's own most would be more than Headgate
 * can do, and half of each one's own would compare different loads.)
 */
export async function measureHalf(
  peer: Peer,
  running: Running,
  {
    perSecond,
    seconds,
    connections,
  }: { readonly perSecond: number; readonly seconds: number; readonly connections: number },
): Promise<HalfRow | null> {
  if (peer.http === null) return null;
  process.stderr.write(`${peer.name}: ${Math.round(perSecond)} requests a second\n`);
  // At full load, as in the other scenarios: at half of it a compiler on the same core is busy for longer than a run lasts.
  await load({ url: `http://127.0.0.1:${peer.http}/1k`, seconds: WARM_UP_SECONDS, connections, http2: false });
  const script = join(import.meta.dirname, 'paced-client.ts');
  const before = cpuMicroseconds(running.pid);
  const { stdout } = await run('taskset', [
    ...['-c', OTHER_CORE, 'chrt', '--idle', '0', process.execPath, script],
    ...[peer.http, '/1k', Math.round(perSecond), seconds, connections].map(String),
  ]);
  const paced = readPrinted<Paced>(stdout);
  const spent = cpuMicroseconds(running.pid) - before;
  // What it warmed up with is in the CPU time.
  const share = seconds / (seconds + 2);
  return { peer: peer.name, ...paced, perSecond, cpuPerRequestUs: (spent * share) / paced.requests };
}

export function printHalf(rows: readonly HalfRow[]): void {
  if (rows.length === 0) return;
  const ours = rows.find(({ peer }) => peer === 'headgate')?.p99Ms;
  const header = [
    ...[
      'proxy',
      'requests/s',
      'p50 ms',
      'p99 ms',
      'generator late, p99 ms',
      'waits for its core',
      'CPU µs/request',
      'failures',
    ],
    'headgate ÷ it (p99)',
  ];
  const lines = rows.map((row) => [
    ...[row.peer, row.perSecond.toFixed(0), row.p50Ms.toFixed(2), row.p99Ms.toFixed(2), row.ownP99Ms.toFixed(2)],
    ...[`${Math.round(row.ownWait * 100)} %`, row.cpuPerRequestUs.toFixed(1), row.failures.toString()],
    ours === undefined ? '' : (ours / row.p99Ms).toFixed(2),
  ]);
  process.stdout.write(`\n### At half of Headgate's most\n\n${markdownTable(header, lines)}\n`);
}
