import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Command, cpuMicroseconds, OTHER_CORE, start } from './processes.ts';
import { markdownTable } from './report.ts';

const here = import.meta.dirname;

const CLIENTS = 1_000;
const OBJECT_BYTES = 10 * 1024 ** 2;
const ORIGIN_PORT = 7190;
const PROXY_PORT = 7191;

/** What the clients saw. Times from when they asked. */
interface Outcome {
  readonly requests: number;
  readonly served: number;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly totalMs: number;
}

export interface CollapseRow extends Outcome {
  readonly peer: string;
  readonly cpuMs: number;
}

/** A thousand clients that want the same large object, which nobody has yet. */
export async function measureCollapse(directory: string): Promise<CollapseRow[]> {
  const rows: CollapseRow[] = [];
  for (const command of [headgate(directory), nginx(directory), varnish(directory)]) {
    process.stderr.write(`${command.name}: ${CLIENTS} clients, one object\n`);
    const clients = await startClients();
    try {
      const proxy = await start(command);
      try {
        await answer(clients, 'warm up');
        const before = cpuMicroseconds(proxy.pid);
        const outcome = (await answer(clients, 'go')) as Outcome;
        rows.push({ peer: command.name, cpuMs: (cpuMicroseconds(proxy.pid) - before) / 1_000, ...outcome });
      } finally {
        await proxy.stop();
      }
    } finally {
      clients.kill();
    }
  }
  return rows;
}

export function printCollapse(rows: readonly CollapseRow[]): void {
  const header = [
    'proxy',
    'requests upstream',
    'clients served',
    'first client’s first byte, ms',
    'last client’s after that, ms',
    'all served, s',
    'CPU s',
  ];
  const lines = rows.map(({ peer, requests, served, firstMs, lastMs, totalMs, cpuMs }) => [
    ...[peer, `${requests}`, `${served}`, firstMs.toFixed(0), (lastMs - firstMs).toFixed(1)],
    ...[(totalMs / 1_000).toFixed(1), (cpuMs / 1_000).toFixed(2)],
  ]);
  process.stdout.write(`\n### ${CLIENTS} clients on a cold 10 MiB object\n\n${markdownTable(header, lines)}\n`);
}

/** Origin and clients, on the core that is not the proxy's. */
async function startClients(): Promise<ChildProcess> {
  const numbers = [ORIGIN_PORT, PROXY_PORT, CLIENTS, OBJECT_BYTES].map(String);
  const argv = ['-c', OTHER_CORE, process.execPath, join(here, 'collapse-clients.ts'), ...numbers];
  const child = spawn('taskset', argv, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await once(child, 'message');
  return child;
}

async function answer(clients: ChildProcess, word: string): Promise<unknown> {
  clients.send(word);
  const [outcome] = await Promise.race([
    once(clients, 'message'),
    once(clients, 'exit').then(() => Promise.reject(new Error('The clients gave up'))),
  ]);
  return outcome;
}

function headgate(directory: string): Command {
  const file = join(directory, 'collapse.yaml');
  writeFileSync(
    file,
    `listeners:
  plain: { address: 127.0.0.1, port: ${PROXY_PORT}, limits: { connectionsPerAddress: 10000 } }
pools:
  origin: { endpoints: ['127.0.0.1:${ORIGIN_PORT}'] }
routes:
  - { match: { path: /** }, pool: origin, cache: true }
cache: { objectSize: 16M }
admin: { port: 7199 }
accessLog: { enabled: false }
`,
  );
  const argv = [process.execPath, join(here, '../src/main.ts'), 'start', '-c', file] as const;
  return { name: 'headgate', argv: [...argv], port: PROXY_PORT, core: 'proxy' };
}

/** With its default of five seconds, its lock would let everybody through that has waited for so long. */
function nginx(directory: string): Command {
  const file = join(directory, 'collapse.conf');
  mkdirSync(join(directory, 'collapse-nginx'), { recursive: true });
  writeFileSync(
    file,
    `daemon off; worker_processes 1; pid ${directory}/collapse-nginx.pid; error_log stderr crit;
events { worker_connections 10000; }
http {
  access_log off;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}/collapse-temp; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
  proxy_cache_path ${directory}/collapse-nginx keys_zone=bench:10m;
  proxy_cache bench; proxy_cache_valid 200 10m;
  proxy_cache_lock on; proxy_cache_lock_timeout 60s; proxy_cache_lock_age 60s;
  server { listen 127.0.0.1:${PROXY_PORT}; location / { proxy_pass http://127.0.0.1:${ORIGIN_PORT}; } }
}
`,
  );
  return { name: 'nginx', argv: ['nginx', '-c', file, '-p', directory], port: PROXY_PORT, core: 'proxy' };
}

function varnish(directory: string): Command {
  const name = join(directory, 'collapse-varnish');
  const ports = ['-a', `127.0.0.1:${PROXY_PORT}`, '-b', `127.0.0.1:${ORIGIN_PORT}`] as const;
  const argv = ['varnishd', '-F', ...ports, '-n', name, '-s', 'malloc,128m', '-t', '600'] as const;
  return { name: 'varnish', argv: [...argv], port: PROXY_PORT, core: 'proxy' };
}
