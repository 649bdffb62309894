/**
 * Headgate beside its peers, in one run: `npm run bench [-- --seconds 5] [--only headgate,caddy] [--scenario proxied]`.
 * Each proxy runs one worker pinned to one core, a static nginx as the origin and the load generator share the other.
 * The figure that holds on a noisy machine is the ratio of CPU time per request.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { LocalAuthority } from '../src/control/certificates/local-authority.ts';
import { type AbuseRow, measureAbuse, printAbuse } from './abuse.ts';
import { measureCollapse, printCollapse } from './collapse.ts';
import { type HandshakeRow, measureHandshakes, printHandshakes } from './handshake.ts';
import { type IdleRow, measureIdle, printIdle } from './idle.ts';
import { load } from './load.ts';
import { measureOverload, printOverload } from './overload.ts';
import { type Peer, type Place, peers } from './peers.ts';
import { measurePolicies, printPolicies } from './policies.ts';
import { cpuMicroseconds, type Running, residentMebibytes, start } from './processes.ts';
import { measureReload, printReload } from './reload.ts';
import { printTable, type Row } from './report.ts';

interface Scenario {
  readonly title: string;
  readonly path: string;
  readonly http2: boolean;
  readonly secure: boolean;
  readonly port: (peer: Peer) => number | null;
}

const scenarios: Readonly<Record<string, Scenario>> = {
  proxied: { title: 'HTTP/1.1, 1 KiB, proxied', path: '/1k', http2: false, secure: false, port: (peer) => peer.http },
  large: { title: 'HTTP/1.1, 100 KiB, proxied', path: '/100k', http2: false, secure: false, port: (peer) => peer.http },
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
  cached: {
    title: 'HTTP/1.1, 1 KiB, cache hit',
    path: '/1k',
    http2: false,
    secure: false,
    port: (peer) => peer.cached,
  },
};

const ORIGIN_PORT = 7100;
/** Long enough for V8 to have compiled what is hot, in every Node proxy. */
const WARM_UP_SECONDS = 5;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '5' },
    only: { type: 'string' },
    scenario: { type: 'string' },
    connections: { type: 'string', default: '64' },
  },
});
const seconds = Number(values.seconds);
const connections = Number(values.connections);
const chosenPeers =
  values.only === undefined ? peers : peers.filter((peer) => values.only?.split(',').includes(peer.name));
/** Scenarios that are no load of requests: handshakes, idle connections and attacks. */
const CROWDS = ['handshake', 'idle', 'abuse', 'overload', 'collapse', 'reload', 'policies'];
/** Those that have origins of their own. */
const APART = ['overload', 'collapse', 'reload', 'policies'];
const chosenScenarios =
  values.scenario === undefined ? [...Object.keys(scenarios), ...CROWDS] : values.scenario.split(',');

const missing = [
  'taskset',
  ...(chosenScenarios.every((name) => APART.includes(name)) ? [] : ['wrk', 'h2load', 'nginx']),
  ...(chosenScenarios.includes('policies') ? ['wrk', 'nginx'] : []),
  ...(chosenScenarios.includes('abuse') ? ['slowhttptest'] : []),
  ...chosenPeers.flatMap((peer) => peer.needs),
].filter((program) => !has(program));
if (missing.length > 0) {
  process.stderr.write(`Not installed: ${[...new Set(missing)].join(', ')}\n`);
  process.stderr.write('Debian: apt-get install wrk nghttp2-client nginx-light haproxy caddy varnish slowhttptest\n');
  process.exit(69);
}

const directory = mkdtempSync(join(tmpdir(), 'headgate-bench-'));
try {
  if (chosenScenarios.some((name) => !APART.includes(name))) await main(await prepare());
  if (chosenScenarios.includes('overload')) printOverload(await measureOverload(directory, 4 * seconds));
  if (chosenScenarios.includes('collapse')) printCollapse(await measureCollapse(directory));
  if (chosenScenarios.includes('reload')) printReload(await measureReload(directory, has));
  if (chosenScenarios.includes('policies')) printPolicies(await measurePolicies(directory, seconds));
} finally {
  rmSync(directory, { recursive: true, force: true });
}

function has(program: string): boolean {
  try {
    execFileSync('which', [program], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The origin: a static nginx, so that it is never the bottleneck. */
async function prepare(): Promise<{ place: Place; origin: Running }> {
  const root = join(directory, 'www');
  mkdirSync(root);
  writeFileSync(join(root, '1k'), 'x'.repeat(1024));
  writeFileSync(join(root, '100k'), 'x'.repeat(100 * 1024));
  const configuration = join(directory, 'origin.conf');
  writeFileSync(
    configuration,
    `daemon off; worker_processes 1; pid ${directory}/origin.pid; error_log stderr crit; user root;
events { worker_connections 4096; }
http { access_log off; keepalive_requests 100000000; open_file_cache max=10; sendfile on; tcp_nopush on;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  server { listen 127.0.0.1:${ORIGIN_PORT}; root ${root}; add_header Cache-Control max-age=600; } }
`,
  );
  const certificates = join(directory, 'certs');
  const authority = new LocalAuthority({ directory: certificates, now: Date.now });
  const files = await authority.filesFor(['localhost', '127.0.0.1']);
  const place: Place = {
    directory,
    originPort: ORIGIN_PORT,
    certificate: files.certificate,
    key: files.key,
  };
  const origin = await start({
    name: 'origin',
    argv: ['nginx', '-c', configuration, '-p', directory],
    port: ORIGIN_PORT,
    core: 'other',
  });
  return { place, origin };
}

async function main({ place, origin }: { place: Place; origin: Running }): Promise<void> {
  const tables = new Map<string, Row[]>(Object.keys(scenarios).map((name) => [name, []]));
  const idle: IdleRow[] = [];
  const abuse: AbuseRow[] = [];
  const handshakes: HandshakeRow[] = [];
  try {
    for (const peer of chosenPeers) {
      const running = await start(peer.command(place));
      try {
        for (const name of chosenScenarios) {
          const scenario = scenarios[name];
          const row = scenario === undefined ? null : await measure(peer, running, scenario);
          if (row !== null) tables.get(name)?.push(row);
        }
        if (chosenScenarios.includes('handshake'))
          handshakes.push(...(await measureHandshakes(peer, running, seconds)));
        if (chosenScenarios.includes('abuse')) abuse.push(...(await measureAbuse(peer, '/100k')));
        // Last: a proxy's memory does not shrink again.
        const idleRow = chosenScenarios.includes('idle') ? await measureIdle(peer, running, seconds) : null;
        if (idleRow !== null) idle.push(idleRow);
      } finally {
        await running.stop();
      }
    }
  } finally {
    await origin.stop();
  }
  for (const [name, rows] of tables) printTable((scenarios[name] as Scenario).title, rows);
  if (handshakes.length > 0) printHandshakes(handshakes);
  if (abuse.length > 0) printAbuse(abuse);
  if (idle.length > 0) printIdle(idle);
}

async function measure(peer: Peer, running: Running, scenario: Scenario): Promise<Row | null> {
  const port = scenario.port(peer);
  if (port === null) return null;
  process.stderr.write(`${peer.name}: ${scenario.title}\n`);
  const url = `${scenario.secure ? 'https' : 'http'}://127.0.0.1:${port}${scenario.path}`;
  const parameters = { url, connections: scenario.http2 ? 8 : connections, http2: scenario.http2 };
  await load({ ...parameters, seconds: WARM_UP_SECONDS });
  const before = cpuMicroseconds(running.pid);
  const result = await load({ ...parameters, seconds });
  const spent = cpuMicroseconds(running.pid) - before;
  return {
    peer: peer.name,
    ...result,
    cpuPerRequestUs: spent / result.requests,
    residentMiB: residentMebibytes(running.pid),
  };
}
