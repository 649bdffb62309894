import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Peer } from './peers.ts';
import { type Running, residentMebibytes } from './processes.ts';
import { markdownTable } from './report.ts';
import { visit } from './visitors.ts';

/** What idle TLS connections cost a proxy, and what other clients feel of them. */
export interface IdleRow {
  readonly peer: string;
  readonly connections: number;
  readonly kibibytesEach: number;
  readonly p99BeforeMs: number;
  readonly p99DuringMs: number;
}

/** A process may have 20 000 descriptors on many machines; the other clients and the endpoints need some too. */
export const IDLE_CONNECTIONS = 19_000;

/** Measures a running proxy: p99 of ordinary clients, then the same while `IDLE_CONNECTIONS` others are idle. */
export async function measureIdle(peer: Peer, running: Running, seconds: number): Promise<IdleRow | null> {
  if (peer.https === null || !peer.crowded) return null;
  process.stderr.write(`${peer.name}: ${IDLE_CONNECTIONS} idle TLS connections\n`);
  const url = `https://127.0.0.1:${peer.https}/1k`;
  await visit(url, seconds);
  const before = await visit(url, seconds);
  const residentBefore = residentMebibytes(running.pid);
  const client = await hold(peer.https);
  try {
    const resident = residentMebibytes(running.pid) - residentBefore;
    const during = await visit(url, seconds);
    return {
      peer: peer.name,
      connections: client.held,
      kibibytesEach: (resident * 1024) / client.held,
      p99BeforeMs: before.p99Ms,
      p99DuringMs: during.p99Ms,
    };
  } finally {
    await client.release();
  }
}

async function hold(port: number): Promise<{ readonly held: number; release(): Promise<void> }> {
  const script = join(import.meta.dirname, 'idle-client.ts');
  const argv = ['-c', '1', process.execPath, script, String(port), String(IDLE_CONNECTIONS)];
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
  const header = ['proxy', 'idle TLS connections', 'KiB each', 'p99 without ms', 'p99 with ms', 'ratio'];
  const lines = rows.map((row) => [
    row.peer,
    row.connections.toString(),
    row.kibibytesEach.toFixed(1),
    row.p99BeforeMs.toFixed(2),
    row.p99DuringMs.toFixed(2),
    (row.p99DuringMs / row.p99BeforeMs).toFixed(2),
  ]);
  process.stdout.write(`\n### Idle TLS connections\n\n${markdownTable(header, lines)}\n`);
}
