import { readdirSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './load.ts';
import type { Peer } from './peers/peer.ts';
import { cpuMicroseconds, type Running, residentMebibytes } from './processes.ts';
import type { Row } from './report.ts';

/** Requests as fast as they are answered. */
export interface Scenario {
  readonly title: string;
  readonly path: string;
  readonly http2: boolean;
  readonly secure: boolean;
  readonly port: (peer: Peer) => number | null;
}

export const scenarios = {
  proxied: { title: 'HTTP/1.1, 1 KiB, proxied', path: '/1k', http2: false, secure: false, port: (peer) => peer.http },
  https: {
    title: 'HTTPS (HTTP/1.1), 1 KiB, proxied',
    path: '/1k',
    http2: false,
    secure: true,
    port: (peer) => peer.https,
  },
  http2: {
    title: 'HTTPS (HTTP/2, 16 streams), 1 KiB, proxied',
    path: '/1k',
    http2: true,
    secure: true,
    port: (peer) => (peer.http2 ? peer.https : null),
  },
  large: { title: 'HTTP/1.1, 100 KiB, proxied', path: '/100k', http2: false, secure: false, port: (peer) => peer.http },
  cached: {
    title: 'HTTP/1.1, 1 KiB, cache hit',
    path: '/1k',
    http2: false,
    secure: false,
    port: (peer) => peer.cached,
  },
  'https-cached': {
    title: 'HTTPS (HTTP/1.1), 1 KiB, cache hit',
    path: '/1k',
    http2: false,
    secure: true,
    port: (peer) => peer.cachedSecure,
  },
} satisfies Readonly<Record<string, Scenario>>;

export type ScenarioName = keyof typeof scenarios;

/** Long enough for V8 to have compiled what is hot, in every Node proxy. */
const WARM_UP_SECONDS = 5;

export interface Measurement {
  /** Scratch directory, whose `*.log` are emptied now and then: a file of gigabytes would be the disk's benchmark. */
  readonly directory: string;
  readonly seconds: number;
  readonly connections: number;
}

/** One scenario of a running proxy; `null` for what it does not do. */
export async function measureScenario(
  peer: Peer,
  running: Running,
  scenario: Scenario,
  { directory, seconds, connections }: Measurement,
): Promise<Row | null> {
  const port = scenario.port(peer);
  if (port === null) return null;
  process.stderr.write(`${peer.name}: ${scenario.title}\n`);
  const url = `${scenario.secure ? 'https' : 'http'}://127.0.0.1:${port}${scenario.path}`;
  const parameters = { url, connections: scenario.http2 ? 8 : connections, http2: scenario.http2 };
  await load({ ...parameters, seconds: WARM_UP_SECONDS });
  emptyLogs(directory);
  const before = cpuMicroseconds(running.pid);
  const result = await load({ ...parameters, seconds });
  const spent = cpuMicroseconds(running.pid) - before;
  emptyLogs(directory);
  const residentMiB = residentMebibytes(running.pid);
  return { peer: peer.name, ...result, cpuPerRequestUs: spent / result.requests, residentMiB };
}

/** All are appended to, so that who writes them goes on at the new end. */
export function emptyLogs(directory: string): void {
  for (const file of readdirSync(directory)) if (file.endsWith('.log')) truncateSync(join(directory, file));
}
