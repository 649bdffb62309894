import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Peer } from './peers/peer.ts';
import { cpuMicroseconds, OTHER_CORE, type Running } from './processes.ts';
import { markdownTable } from './report.ts';

const run = promisify(execFile);

type Kind = 'full' | 'resumed';

/** What a TLS handshake costs a proxy, with and without a session to resume. */
export interface HandshakeRow {
  readonly peer: string;
  readonly kind: Kind;
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Share of handshakes that did resume. */
  readonly resumed: number;
  readonly failures: number;
}

const WARM_UP_SECONDS = 2;

/** Measures a running proxy: full handshakes, then resumed ones. TLS 1.3, X25519, ECDSA P-256; no request is made. */
export async function measureHandshakes(peer: Peer, running: Running, seconds: number): Promise<HandshakeRow[]> {
  if (peer.https === null) return [];
  const rows: HandshakeRow[] = [];
  for (const kind of ['full', 'resumed'] as const) {
    process.stderr.write(`${peer.name}: TLS handshakes, ${kind}\n`);
    await shake(peer.https, WARM_UP_SECONDS, kind);
    const before = cpuMicroseconds(running.pid);
    const { made, reused, failed } = await shake(peer.https, seconds, kind);
    const spent = cpuMicroseconds(running.pid) - before;
    const row = { peer: peer.name, kind, perSecond: made / seconds, cpuUs: spent / made };
    rows.push({ ...row, resumed: reused / made, failures: failed });
  }
  return rows;
}

interface Shaken {
  readonly made: number;
  readonly reused: number;
  readonly failed: number;
}

/** From the other core, as every load here. */
async function shake(port: number, seconds: number, kind: Kind): Promise<Shaken> {
  const script = join(import.meta.dirname, 'handshake-client.ts');
  const argv = ['-c', OTHER_CORE, process.execPath, script, String(port), String(seconds), kind];
  const { stdout } = await run('taskset', argv);
  return JSON.parse(stdout) as Shaken;
}

export function printHandshakes(rows: readonly HandshakeRow[]): void {
  const header = ['proxy', 'handshakes', 'per second', 'CPU µs each', 'resumed', 'failures', 'headgate ÷ it (CPU)'];
  const lines = rows.map((row) => {
    const ours = rows.find(({ peer, kind }) => peer === 'headgate' && kind === row.kind);
    return [
      row.peer,
      row.kind,
      Math.round(row.perSecond).toString(),
      row.cpuUs.toFixed(0),
      `${Math.round(row.resumed * 100)} %`,
      row.failures.toString(),
      ours === undefined ? '' : (ours.cpuUs / row.cpuUs).toFixed(2),
    ];
  });
  process.stdout.write(`\n### TLS handshakes\n\n${markdownTable(header, lines)}\n`);
}
