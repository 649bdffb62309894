import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cpuMicroseconds, type Running, residentMebibytes, start } from './processes.ts';
import { markdownTable } from './report.ts';

const here = import.meta.dirname;
const run = promisify(execFile);

const ROUTES = 5_000;
const POOLS = 500;
const RELOADS = 100;
/** Peers take seconds for each. */
const PEER_RELOADS = 10;
const PORT = 7190;
const ADMIN_PORT = 7191;

export interface ReloadRow {
  readonly proxy: string;
  /** Until the new configuration answers; median. */
  readonly untilServedMs: number;
  /** All processes and threads, for one reload. */
  readonly cpuMs: number;
  /** The most CPU time of the thread that serves between two turns of its event loop: median and worst of all reloads. */
  readonly turnMs: { readonly median: number; readonly worst: number } | null;
  readonly beforeMib: number;
  readonly afterMib: number;
  readonly reloads: number;
}

/** Reloads of a configuration of 5 000 routes in which one route is another one each time. */
export async function measureReload(directory: string, has: (program: string) => boolean): Promise<ReloadRow[]> {
  const rows = [await headgate(directory)];
  if (has('nginx')) rows.push(await nginx(directory));
  if (has('caddy')) rows.push(await caddy(directory));
  return rows;
}

export function printReload(rows: readonly ReloadRow[]): void {
  const table = rows.map(({ proxy, untilServedMs, cpuMs, turnMs, beforeMib, afterMib, reloads }) => [
    ...[proxy, untilServedMs.toFixed(0), cpuMs.toFixed(0)],
    ...(turnMs === null ? ['–', '–'] : [turnMs.median.toFixed(1), turnMs.worst.toFixed(1)]),
    ...[beforeMib.toFixed(0), afterMib.toFixed(0), String(reloads)],
  ]);
  const head = ['proxy', 'until served ms', 'CPU ms', 'longest turn ms (median)', '(worst)', 'RSS MiB before', 'after'];
  process.stdout.write(`\n### A reload of ${ROUTES} routes\n\n${markdownTable([...head, 'reloads'], table)}\n`);
}

interface Outcome {
  readonly result: string;
  readonly longestTurnMs: number;
}

async function headgate(directory: string): Promise<ReloadRow> {
  const file = join(directory, 'reload.yaml');
  const write = (edit: number): void => writeFileSync(file, yaml(edit));
  write(0);
  const child = fork(join(here, 'reload-gateway.ts'), [file], { stdio: 'inherit' });
  await once(child, 'message');
  const turns: number[] = [];
  try {
    const trigger = async (): Promise<void> => {
      const answered = once(child, 'message');
      child.send('reload');
      const [{ result, longestTurnMs }] = (await answered) as [Outcome];
      if (result !== 'applied') throw new Error(`The reload was ${result}`);
      turns.push(longestTurnMs);
    };
    const common = await repeated({ pid: child.pid as number, write, trigger, reloads: RELOADS });
    const sorted = turns.toSorted((a, b) => a - b);
    const turnMs = { median: middle(sorted), worst: sorted.at(-1) ?? 0 };
    return { proxy: 'headgate', ...common, turnMs };
  } finally {
    await stop(child);
  }
}

async function stop(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.send('stop');
  await gone;
}

async function nginx(directory: string): Promise<ReloadRow> {
  const file = join(directory, 'reload.conf');
  const write = (edit: number): void => writeFileSync(file, nginxConf(directory, edit));
  write(0);
  const argv = ['nginx', '-c', file, '-p', directory] as const;
  const running = await start({ name: 'nginx', argv: [...argv], port: PORT, core: 'proxy' });
  const trigger = async (): Promise<void> => void (await run('nginx', ['-c', file, '-p', directory, '-s', 'reload']));
  return peer({ running, write, trigger });
}

async function caddy(directory: string): Promise<ReloadRow> {
  const file = join(directory, 'Caddyfile');
  const write = (edit: number): void => writeFileSync(file, caddyfile(edit));
  write(0);
  const argv = ['caddy', 'run', '--config', file, '--adapter', 'caddyfile'] as const;
  const running = await start({ name: 'caddy', argv: [...argv], port: PORT, core: 'proxy' });
  const options = ['--config', file, '--adapter', 'caddyfile', '--address', `127.0.0.1:${ADMIN_PORT}`];
  return peer({ running, write, trigger: async () => void (await run('caddy', ['reload', ...options])) });
}

interface Deeds {
  readonly write: (edit: number) => void;
  readonly trigger: () => Promise<void>;
}

async function peer({ running, ...deeds }: Deeds & { readonly running: Running }): Promise<ReloadRow> {
  try {
    const common = await repeated({ pid: running.pid, reloads: PEER_RELOADS, ...deeds });
    return { proxy: running.name, ...common, turnMs: null };
  } finally {
    await running.stop();
  }
}

async function repeated({ pid, write, trigger, reloads }: Deeds & { readonly pid: number; readonly reloads: number }) {
  process.stderr.write(`${reloads} reloads\n`);
  // What is compiled and allocated once belongs to none of them.
  for (const edit of [1, 2, 3]) await reload(edit, { write, trigger });
  const beforeMib = residentMebibytes(pid);
  const cpuBefore = cpuMicroseconds(pid);
  const times: number[] = [];
  for (let edit = 4; edit < 4 + reloads; edit += 1) times.push(await reload(edit, { write, trigger }));
  const cpuMs = (cpuMicroseconds(pid) - cpuBefore) / 1_000 / reloads;
  const untilServedMs = middle(times.toSorted((a, b) => a - b));
  return { untilServedMs, cpuMs, beforeMib, afterMib: residentMebibytes(pid), reloads };
}

/** Milliseconds until the edited route answers as it should. */
async function reload(edit: number, { write, trigger }: Deeds): Promise<number> {
  write(edit);
  const begin = performance.now();
  await trigger();
  while ((await textOf('/edited')) !== `edit ${edit}`) await new Promise((resolve) => setTimeout(resolve, 5));
  return performance.now() - begin;
}

async function textOf(path: string): Promise<string> {
  const reply = await fetch(`http://127.0.0.1:${PORT}${path}`, { headers: { connection: 'close' } });
  return (await reply.text()).trim();
}

function middle(sorted: readonly number[]): number {
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

/** Every route has a host and a path of its own, ten a pool. */
function each<T>(count: number, make: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => make(index));
}

function yaml(edit: number): string {
  const pools = each(POOLS, (i) => `  pool-${i}: { endpoints: ['127.0.0.1:${20_000 + i}'] }`);
  const routes = each(
    ROUTES,
    (i) =>
      `  - { name: route-${i}, match: { host: h${i % 50}.example, path: /service/${i}/** }, pool: pool-${i % POOLS} }`,
  );
  return `listeners: { plain: { address: 127.0.0.1, port: ${PORT} } }
pools:
${pools.join('\n')}
routes:
  - { name: edited, match: { path: /edited }, respond: { status: 200, body: 'edit ${edit}' } }
${routes.join('\n')}
admin: { port: 0 }
accessLog: { enabled: false }
`;
}

function nginxConf(directory: string, edit: number): string {
  const pools = each(POOLS, (i) => `upstream pool-${i} { server 127.0.0.1:${20_000 + i}; keepalive 8; }`);
  const servers = each(50, (host) => {
    const own = each(ROUTES / 50, (i) => host + 50 * i);
    const locations = own.map((i) => `location /service/${i}/ { proxy_pass http://pool-${i % POOLS}; }`);
    return `server { listen 127.0.0.1:${PORT}; server_name h${host}.example;\n${locations.join('\n')}\n}`;
  });
  return `daemon off; worker_processes 1; pid ${directory}/reload.pid; error_log stderr crit;
events { worker_connections 1024; }
http { access_log off; server_names_hash_bucket_size 128;
  client_body_temp_path ${directory}; proxy_temp_path ${directory}; fastcgi_temp_path ${directory};
  uwsgi_temp_path ${directory}; scgi_temp_path ${directory};
${pools.join('\n')}
server { listen 127.0.0.1:${PORT} default_server; location = /edited { return 200 'edit ${edit}'; } }
${servers.join('\n')}
}
`;
}

function caddyfile(edit: number): string {
  const servers = each(50, (host) => {
    const own = each(ROUTES / 50, (i) => host + 50 * i);
    const handles = own.map(
      (i) => `  handle /service/${i}/* {\n    reverse_proxy 127.0.0.1:${20_000 + (i % POOLS)}\n  }`,
    );
    return `http://h${host}.example:${PORT} {\n  bind 127.0.0.1\n${handles.join('\n')}\n}`;
  });
  return `{
  admin 127.0.0.1:${ADMIN_PORT}
  auto_https off
}
http://127.0.0.1:${PORT} {
  bind 127.0.0.1
  respond /edited "edit ${edit}"
}
${servers.join('\n')}
`;
}
