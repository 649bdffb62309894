import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Peer, Place } from './peers/peer.ts';
import { OTHER_CORE, residentMebibytes, start } from './processes.ts';
import { markdownTable } from './report.ts';
import { visit } from './visitors.ts';

/** What idle connections cost a proxy, and what other clients feel of them. */
export interface IdleRow {
  readonly peer: string;
  readonly kind: IdleKind;
  readonly connections: number;
  readonly kibibytesEach: number;
  readonly p99BeforeMs: number;
  readonly p99DuringMs: number;
}

export type IdleKind = 'plain' | 'tls';

/** A process may have 20 000 descriptors on many machines; the other clients and the endpoints need some too. */
export const IDLE_CONNECTIONS = 19_000;

/**
 * p99 of ordinary clients of a proxy, then the same while others are idle; without TLS and with it, each of a proxy that has just started:
 * one that has been loaded has memory to spare, in which thousands of connections would be hidden.
 */
export async function measureIdle(peer: Peer, place: Place, seconds: number): Promise<IdleRow[]> {
  const rows: IdleRow[] = [];
  if (!peer.crowded) return rows;
  for (const kind of ['plain', 'tls'] as const) {
    const port = kind === 'tls' ? peer.https : peer.http;
    if (port === null) continue;
    process.stderr.write(`${peer.name}: ${IDLE_CONNECTIONS} idle connections, ${kind}\n`);
    const running = await start(peer.command(place));
    try {
      rows.push({ peer: peer.name, kind, ...(await crowdOut({ pid: running.pid, port, kind, seconds })) });
    } finally {
      await running.stop();
    }
  }
  return rows;
}

async function crowdOut({ pid, port, kind, seconds }: Crowded): Promise<Omit<IdleRow, 'peer' | 'kind'>> {
  const url = `${kind === 'tls' ? 'https' : 'http'}://127.0.0.1:${port}/1k`;
  await visit(url, seconds);
  const before = await visit(url, seconds);
  const residentBefore = residentMebibytes(pid);
  const client = await hold(port, kind);
  try {
    const resident = residentMebibytes(pid) - residentBefore;
    const during = await visit(url, seconds);
    return {
      connections: client.held,
      kibibytesEach: (resident * 1024) / client.held,
      p99BeforeMs: before.p99Ms,
      p99DuringMs: during.p99Ms,
    };
  } finally {
    await client.release();
  }
}

interface Crowded {
  readonly pid: number;
  readonly port: number;
  readonly kind: IdleKind;
  readonly seconds: number;
}

async function hold(port: number, kind: IdleKind): Promise<{ readonly held: number; release(): Promise<void> }> {
  const script = join(import.meta.dirname, 'idle-client.ts');
  const argv = ['-c', OTHER_CORE, process.execPath, script, String(port), String(IDLE_CONNECTIONS), kind];
  const child = spawn('taskset', argv, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit').then(() => Promise.reject(new Error('The holder of idle connections ended')));
  const said = await Promise.race([once(child.stdout, 'data'), ended]);
  ended.catch(() => {});
  return {
    held: Number(/held (\d+)/.exec(String(said[0]))?.[1] ?? 0),
    release: async () => {
      child.stdin.end();
      if (child.exitCode === null) await once(child, 'exit');
    },
  };
}

export function printIdle(rows: readonly IdleRow[]): void {
  if (rows.length === 0) return;
  const header = ['proxy', 'idle connections', 'TLS', 'KiB each', 'p99 without ms', 'p99 with ms', 'ratio'];
  const lines = rows.map((row) => [
    ...[row.peer, row.connections.toString(), row.kind === 'tls' ? 'yes' : 'no', row.kibibytesEach.toFixed(1)],
    ...[row.p99BeforeMs.toFixed(2), row.p99DuringMs.toFixed(2), (row.p99DuringMs / row.p99BeforeMs).toFixed(2)],
  ]);
  process.stdout.write(`\n### Idle connections\n\n${markdownTable(header, lines)}\n`);
}
