import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from './load.ts';
import { type PolicySubject, policySubjects } from './policy-subjects.ts';
import { type Command, cpuMicroseconds, type Running, start } from './processes.ts';
import { markdownTable } from './report.ts';

const here = import.meta.dirname;

const ORIGIN_PORT = 7195;
const HEADGATE_PORT = 7196;
const NGINX_PORT = 7197;
const CONNECTIONS = 64;
/** Each subject in turn, so that what the machine does besides falls on all alike. */
const ROUNDS = 3;
const WARM_UP_SECONDS = 2;

export interface PolicyRow {
  readonly name: string;
  /** CPU microseconds of a request; the median of the rounds. `null` where nginx has no such thing. */
  readonly headgateUs: number;
  readonly nginxUs: number | null;
  readonly failures: number;
}

/** What each policy costs, on a route that has it and no other, with requests that it lets through; 1 KiB over HTTP/1.1. */
export async function measurePolicies(directory: string, seconds: number): Promise<PolicyRow[]> {
  const origin = await start(originCommand(directory));
  try {
    const headgate = await costs(headgateCommand(directory), policySubjects, seconds);
    const peers = policySubjects.filter(({ nginx }) => nginx !== undefined);
    const nginx = await costs(nginxCommand(directory, peers), peers, seconds);
    return policySubjects.map(({ name }) => {
      const { us = Number.NaN, failures = 0 } = headgate.get(name) ?? {};
      return { name, headgateUs: us, nginxUs: nginx.get(name)?.us ?? null, failures };
    });
  } finally {
    await origin.stop();
  }
}

export function printPolicies(rows: readonly PolicyRow[]): void {
  const header = ['policy', 'CPU µs/request', 'more than none', 'nginx: CPU µs/request', 'more than none', 'failures'];
  const none = rows[0];
  const lines = rows.map(({ name, headgateUs, nginxUs, failures }) => [
    ...[name, headgateUs.toFixed(1), more(headgateUs, none?.headgateUs ?? null)],
    ...[nginxUs === null ? '' : nginxUs.toFixed(1), nginxUs === null ? '' : more(nginxUs, none?.nginxUs ?? null)],
    `${failures}`,
  ]);
  process.stdout.write(`\n### What a policy costs\n\n${markdownTable(header, lines)}\n`);
}

function more(us: number, none: number | null): string {
  return none === null ? '' : `${us < none ? '−' : '+'}${Math.abs(us - none).toFixed(1)}`;
}

async function costs(command: Command, subjects: readonly PolicySubject[], seconds: number) {
  const running = await start(command);
  const rounds = new Map<string, { readonly us: number; readonly failures: number }[]>();
  try {
    for (const subject of subjects) await ask(command, subject, WARM_UP_SECONDS);
    for (let round = 0; round < ROUNDS; round += 1) {
      process.stderr.write(`${command.name}: policies, round ${round + 1} of ${ROUNDS}\n`);
      for (const subject of subjects) {
        const measured = await cost(command, running, { subject, seconds });
        rounds.set(subject.name, [...(rounds.get(subject.name) ?? []), measured]);
      }
    }
  } finally {
    await running.stop();
  }
  return new Map(
    [...rounds].map(([name, measured]) => {
      const sorted = measured.map(({ us }) => us).sort((a, b) => a - b);
      const failures = measured.reduce((sum, one) => sum + one.failures, 0);
      return [name, { us: sorted[ROUNDS >> 1] as number, failures }] as const;
    }),
  );
}

async function cost(
  command: Command,
  { pid }: Running,
  { subject, seconds }: { readonly subject: PolicySubject; readonly seconds: number },
) {
  const before = cpuMicroseconds(pid);
  const { requests, failures } = await ask(command, subject, seconds);
  return { us: (cpuMicroseconds(pid) - before) / requests, failures };
}

function ask({ port }: Command, { name, fields = [] }: PolicySubject, seconds: number) {
  const url = `http://127.0.0.1:${port}/${placeOf(name)}/1k`;
  return load({ url, seconds, connections: CONNECTIONS, http2: false, fields });
}

/** Name of its route, and its part of the path. */
function placeOf(name: string): string {
  return name.replaceAll(/[^\w.]+/g, '-');
}

function originCommand(directory: string): Command {
  const root = join(directory, 'policies');
  for (const { name } of policySubjects) {
    mkdirSync(join(root, placeOf(name)), { recursive: true });
    writeFileSync(join(root, placeOf(name), '1k'), 'x'.repeat(1024));
  }
  const file = join(directory, 'policy-origin.conf');
  writeFileSync(
    file,
    `${nginxProcess(directory, 'policy-origin')}
http { ${nginxPlaces(directory)} keepalive_requests 100000000; open_file_cache max=100; default_type text/plain;
  server { listen 127.0.0.1:${ORIGIN_PORT}; root ${root}; } }
`,
  );
  return { name: 'origin', argv: ['nginx', '-c', file, '-p', directory], port: ORIGIN_PORT, core: 'other' };
}

function headgateCommand(directory: string): Command {
  const file = join(directory, 'policies.json');
  const sections = Object.assign({}, ...policySubjects.map((subject) => subject.sections ?? {}));
  const routes = policySubjects.map(({ name, route }) => {
    return { name: placeOf(name), match: { path: `/${placeOf(name)}/**` }, pool: 'origin', ...route };
  });
  const listeners = { web: { address: '127.0.0.1', port: HEADGATE_PORT } };
  const pools = { origin: { endpoints: [`127.0.0.1:${ORIGIN_PORT}`] } };
  // JSON is YAML.
  writeFileSync(
    file,
    JSON.stringify({ listeners, pools, routes, admin: { port: 7198 }, accessLog: { enabled: false }, ...sections }),
  );
  const main = join(here, '../src/main.ts');
  return {
    name: 'headgate',
    argv: [process.execPath, main, 'start', '-c', file],
    port: HEADGATE_PORT,
    core: 'proxy',
  };
}

function nginxCommand(directory: string, subjects: readonly PolicySubject[]): Command {
  const file = join(directory, 'policy-nginx.conf');
  const places = subjects.map(
    ({ name, nginx }) => `location /${placeOf(name)}/ { proxy_pass http://origin; ${nginx?.location ?? ''} }`,
  );
  writeFileSync(
    file,
    `${nginxProcess(directory, 'policy-nginx')}
http { ${nginxPlaces(directory)} keepalive_requests 100000000; proxy_http_version 1.1; proxy_set_header Connection "";
  upstream origin { server 127.0.0.1:${ORIGIN_PORT}; keepalive 256; keepalive_requests 100000000; }
  ${subjects.map(({ nginx }) => nginx?.http ?? '').join(' ')}
  server { listen 127.0.0.1:${NGINX_PORT}; ${places.join('\n')} } }
`,
  );
  return { name: 'nginx', argv: ['nginx', '-c', file, '-p', directory], port: NGINX_PORT, core: 'proxy' };
}

function nginxProcess(directory: string, name: string): string {
  return `daemon off; worker_processes 1; pid ${directory}/${name}.pid; error_log stderr crit; user root;
events { worker_connections 4096; }`;
}

function nginxPlaces(directory: string): string {
  return `access_log off; client_body_temp_path ${directory}; proxy_temp_path ${directory};
  fastcgi_temp_path ${directory}; uwsgi_temp_path ${directory}; scgi_temp_path ${directory};`;
}
