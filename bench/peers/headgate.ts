import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from '../processes.ts';
import { MAX_CONNECTIONS, type Peer, type Place } from './peer.ts';

const LIMITS = `{ connections: ${MAX_CONNECTIONS}, connectionsPerAddress: ${MAX_CONNECTIONS}, idleTimeout: 5m }`;

export const headgate: Peer = {
  name: 'headgate',
  needs: [],
  version: null,
  http: 7101,
  https: 7102,
  http2: true,
  cached: 7103,
  cachedSecure: 7104,
  crowded: true,
  command: (place) => headgateCommand(place, 1),
};

/** What is on by default is on: access log, metrics, the memory of recent exchanges, forwarding fields; and health checks besides. */
export function headgateCommand({ directory, originPort, certificate, key }: Place, workers: number): Command {
  const file = join(directory, 'headgate.yaml');
  writeFileSync(
    file,
    `listeners:
  plain: { address: 127.0.0.1, port: 7101, limits: ${LIMITS} }
  secure: { address: 127.0.0.1, port: 7102, limits: ${LIMITS}, tls: { certificate: ${certificate}, key: ${key} } }
  cached: { address: 127.0.0.1, port: 7103 }
  cachedSecure: { address: 127.0.0.1, port: 7104, tls: { certificate: ${certificate}, key: ${key} } }
pools:
  origin: { endpoints: ['127.0.0.1:${originPort}'], health: { path: /1k } }
routes:
  - { listeners: [plain, secure], match: { path: /** }, pool: origin }
  - { listeners: [cached, cachedSecure], match: { path: /** }, pool: origin, cache: {} }
workers: ${workers}
admin: { port: 7109 }
accessLog: { file: ${join(directory, 'headgate.log')} }
`,
  );
  const main = join(import.meta.dirname, '../../src/main.ts');
  return { name: 'headgate', argv: [process.execPath, main, 'start', '-c', file], port: 7101, core: 'proxy' };
}
