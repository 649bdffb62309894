import { execFileSync, spawnSync } from 'node:child_process';
import { cpus, release } from 'node:os';
import type { AbuseRow } from './abuse.ts';
import type { CrowdRow } from './crowd.ts';
import type { HalfRow } from './half.ts';
import type { HandshakeRow } from './handshake.ts';
import type { IdleRow } from './idle.ts';
import type { Peer } from './peers/peer.ts';
import type { Row } from './report.ts';
import type { ScenarioName } from './scenarios.ts';
import type { WorkersRow } from './workers.ts';

/** All that one run has measured; a list is empty for what it has not. As it is kept in a file by `--json`. */
export interface Results {
  /** ISO 8601. */
  readonly takenAt: string;
  readonly machine: Machine;
  readonly seconds: number;
  readonly connections: number;
  readonly scenarios: Readonly<Record<ScenarioName, readonly Row[]>>;
  readonly half: readonly HalfRow[];
  readonly idle: readonly IdleRow[];
  readonly crowd: readonly CrowdRow[];
  readonly workers: readonly WorkersRow[];
  readonly handshakes: readonly HandshakeRow[];
  readonly abuse: readonly AbuseRow[];
}

export interface Machine {
  readonly processor: string;
  readonly cores: number;
  readonly kernel: string;
  readonly node: string;
  /** Of the peers, by name. */
  readonly versions: Readonly<Record<string, string>>;
}

export function machineOf(peers: readonly Peer[]): Machine {
  const all = cpus();
  const versions = peers.flatMap(({ name, version }) =>
    version === null ? [] : [[name, versionOf(version)] as const],
  );
  return {
    processor: all[0]?.model ?? 'unknown',
    cores: all.length,
    kernel: release(),
    node: process.version,
    versions: Object.fromEntries(versions),
  };
}

function versionOf([program, ...flags]: readonly [string, ...string[]]): string {
  const { stdout, stderr } = spawnSync(program, flags, { encoding: 'utf8' });
  return /\d+\.\d+(?:\.\d+)?/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

/** Is this program installed? */
export function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    // `which` ends with 1.
    return false;
  }
}
