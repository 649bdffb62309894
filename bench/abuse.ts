import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Peer } from './peers/peer.ts';
import { OTHER_CORE } from './processes.ts';
import { markdownTable } from './report.ts';
import { visit } from './visitors.ts';

const run = promisify(execFile);

/** slowhttptest's attacks: 1 000 connections that never get done. */
const ATTACKS: Readonly<Record<string, readonly string[]>> = {
  'slow headers': ['-H', '-i', '2', '-x', '8'],
  'slow body': ['-B', '-i', '2', '-s', '65536', '-x', '8'],
  'slow read': ['-X', '-w', '1', '-y', '64', '-n', '2', '-z', '8', '-k', '3'],
};

/** What other clients feel of an attack. */
export interface AbuseRow {
  readonly peer: string;
  readonly attack: string;
  readonly p99BeforeMs: number;
  readonly p99DuringMs: number;
  readonly failures: number;
}

/** The attack is at its height for so long. */
const SECONDS = 10;

/** Measures p99 of ordinary clients, then the same during each attack. `path` is a large answer for slow readers. */
export async function measureAbuse(peer: Peer, path: string): Promise<AbuseRow[]> {
  if (peer.http === null || !peer.crowded) return [];
  const url = `http://127.0.0.1:${peer.http}`;
  await visit(`${url}/1k`, SECONDS / 2);
  const before = await visit(`${url}/1k`, SECONDS);
  const rows: AbuseRow[] = [];
  for (const [attack, flags] of Object.entries(ATTACKS)) {
    process.stderr.write(`${peer.name}: ${attack}\n`);
    // Nice: what is measured is the proxy, not who gets the other core.
    const attacking = run('nice', [
      ...[
        '-n',
        '15',
        'taskset',
        '-c',
        OTHER_CORE,
        'slowhttptest',
        ...flags,
        '-c',
        '1000',
        '-r',
        '500',
        '-p',
        '3',
        '-v',
        '0',
      ],
      ...['-l', String(SECONDS + 4), '-u', `${url}${path}`],
    ]);
    // The first two seconds are for its connections to be made.
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    const during = await visit(`${url}/1k`, SECONDS);
    await attacking;
    rows.push({
      peer: peer.name,
      attack,
      p99BeforeMs: before.p99Ms,
      p99DuringMs: during.p99Ms,
      failures: during.failures,
    });
  }
  return rows;
}

export function printAbuse(rows: readonly AbuseRow[]): void {
  const header = ['proxy', 'attack (1 000 connections)', 'p99 without ms', 'p99 with ms', 'ratio', 'failures'];
  const lines = rows.map((row) => [
    row.peer,
    row.attack,
    row.p99BeforeMs.toFixed(2),
    row.p99DuringMs.toFixed(2),
    (row.p99DuringMs / row.p99BeforeMs).toFixed(2),
    row.failures.toString(),
  ]);
  process.stdout.write(`\n### Slow attacks (slowhttptest)\n\n${markdownTable(header, lines)}\n`);
}
