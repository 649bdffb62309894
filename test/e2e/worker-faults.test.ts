import { existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import type { ConfigInput } from '../../src/config/schema/config.ts';
import { WorkerLoad } from '../kit/worker-load.ts';
import { GatewayProcess, MAIN } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually } from './kit/patience.ts';
import { run } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const PATIENCE_MS = 90_000;
const TEST_MS = 240_000;
const authority = join(directory, 'authority.pem');
const file = join(directory, 'gateway.yaml');

let service: LocalService;
let gateway: GatewayProcess;
let probes = 0;

beforeAll(async () => {
  service = await LocalService.listen(({ url }, response) => {
    if (url === '/health') probes += 1;
    setTimeout(() => response.setHeader('content-length', 5).end('whole'), url === '/slow' ? 2_000 : 2);
  });
});

afterAll(async () => {
  await service?.close();
});

function config(changes: Partial<ConfigInput> = {}): ConfigInput {
  return {
    workers: 2,
    listeners: { http: { address: '127.0.0.1', port: 0 } },
    pools: { shop: { endpoints: [`127.0.0.1:${service.port}`] } },
    routes: [{ pool: 'shop' }],
    accessLog: { enabled: false },
    drainTimeout: '5s',
    ...changes,
  };
}

async function start(changes: Partial<ConfigInput> = {}, options: readonly string[] = []): Promise<void> {
  writeFileSync(file, JSON.stringify({ ...config(changes), admin: { port: 0 }, reload: { watch: false } }));
  gateway = await GatewayProcess.run(['start', '-c', file, ...options], directory);
  onTestFinished(() => gateway.stop());
}

function rewrite(changes: Partial<ConfigInput>): void {
  const port = Number(new URL(gateway.adminUrl).port);
  writeFileSync(file, JSON.stringify({ ...config(changes), admin: { port }, reload: { watch: false } }));
}

async function post(path: string): Promise<Record<string, unknown>> {
  const headers = { 'content-type': 'application/json' };
  const reply = await fetch(`${gateway.adminUrl}${path}`, { method: 'POST', headers, body: '{}' });
  return (await reply.json()) as Record<string, unknown>;
}

async function pids(): Promise<readonly number[]> {
  const { workers } = await gateway.status();
  return workers?.flatMap(({ pid }) => pid ?? []) ?? [];
}

async function allBack(besides: readonly number[] = []): Promise<void> {
  await eventually(
    async () => {
      const now = await pids().catch(() => []);
      return now.length === 2 && !now.some((pid) => besides.includes(pid)) ? true : null;
    },
    'all workers to serve',
    PATIENCE_MS,
  );
}

async function bodies(): Promise<ReadonlySet<string>> {
  const texts = Array.from({ length: 24 }, async () => {
    const reply = await fetch(gateway.urls[0] ?? '', { headers: { connection: 'close' } });
    return reply.text();
  });
  return new Set(await Promise.all(texts));
}

/** State and parent of every process of this machine that has that parent (proc(5)). */
function childrenOf(parent: number): readonly { readonly pid: number; readonly state: string }[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || !existsSync(`/proc/${name}/stat`)) return [];
    const stat = statOf(name);
    const [state = '', ppid = ''] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return Number(ppid) === parent ? [{ pid: Number(name), state }] : [];
  });
}

function statOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1');
  } catch {
    // It has just ended.
    return '';
  }
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length;
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`) && !/\) Z /.test(statOf(String(pid)));
}

test(
  'a worker that hangs holds up neither the admin listener nor a reload for long: it is ended, and its successor serves',
  async () => {
    await start();
    const [first = 0, second = 0] = await pids();
    process.kill(first, 'SIGSTOP');
    const began = Date.now();
    rewrite({ routes: [{ respond: { status: 200, body: 'next' } }] });
    const reload = post('/reload');
    // The one that hangs is left out, once it has not answered.
    expect((await gateway.status()).workers).toHaveLength(2);
    expect(await pids()).toContain(second);
    await reload;
    await allBack([first]);
    expect(isAlive(first)).toBe(false);
    expect(gateway.process.stdout.lines.some((line) => line.includes('A worker hangs'))).toBe(true);
    // Whichever came first, the next reload is all workers'.
    expect(await post('/reload')).toMatchObject({ result: 'applied' });
    expect(await bodies()).toEqual(new Set(['next']));
    console.info(`${Date.now() - began} ms from the halt to the end`);
  },
  TEST_MS,
);

test(
  'workers that are killed while they reload, one or all of them, leave all with the same configuration',
  async () => {
    await start();
    for (let round = 1; round <= 6; round += 1) {
      const before = await pids();
      rewrite({ routes: [{ respond: { status: 200, body: `${round}` } }] });
      const reload = post('/reload');
      await new Promise((resolve) => setTimeout(resolve, round * 2));
      const victims = round % 3 === 0 ? before : [before[round % 2] ?? 0];
      for (const pid of victims) process.kill(pid, 'SIGKILL');
      const { result = 'refused' } = await reload;
      await allBack(victims);
      expect([...(await bodies())]).toHaveLength(1);
      console.info(`round ${round}: ${String(result)}`);
      expect(await post('/reload')).toMatchObject({ result: 'applied' });
      expect(await bodies()).toEqual(new Set([`${round}`]));
    }
  },
  TEST_MS,
);

test(
  'a worker that can not be started is tried again with growing pauses, and seen; an upgrade leaves those that serve; SIGTERM ends it all',
  async () => {
    writeFileSync(authority, rootCertificates[0] ?? '');
    const secure = { endpoints: ['https://127.0.0.1:1'], tls: { ca: authority } };
    const shop = { endpoints: [`127.0.0.1:${service.port}`] };
    await start({ pools: { shop, secure } }, ['--strict']);
    rmSync(authority);
    const [first = 0, second = 0] = await pids();
    const done = await run(process.execPath, [MAIN, 'upgrade', '--admin', gateway.adminUrl], {
      cwd: directory,
      patienceMs: PATIENCE_MS,
    });
    expect(done.code).not.toBe(0);
    expect(`${done.stdout}${done.stderr}`).toContain('Worker 1 was not replaced');
    expect(await pids()).toEqual([first, second]);
    expect(await bodies()).toEqual(new Set(['whole']));
    process.kill(first, 'SIGKILL');
    const pauses = () =>
      gateway.process.stdout.lines.flatMap((line) =>
        line.includes('A worker can not be started') ? [Number(/"restartMs":(\d+)/.exec(line)?.[1])] : [],
      );
    await eventually(() => (pauses().length >= 4 ? true : null), 'four attempts', PATIENCE_MS);
    expect(pauses().slice(0, 4)).toEqual([100, 200, 400, 800]);
    expect(await pids()).toEqual([second]);
    const metrics = await (await fetch(`${gateway.adminUrl}/metrics`)).text();
    expect(metrics).toContain('headgate_worker_up{worker="1"} 0');
    // The other one accepts for it.
    expect(await bodies()).toEqual(new Set(['whole']));
    expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    expect(isAlive(second)).toBe(false);
  },
  TEST_MS,
);

test(
  'SIGTERM during an upgrade lets requests finish, and leaves no process',
  async () => {
    await start();
    const slow = fetch(`${gateway.urls[0]}/slow`).then((reply) => reply.text());
    await eventually(async () => ((await gateway.inFlight()) > 0 ? true : null), 'the request to be under way');
    const upgrade = post('/upgrade').catch(() => null);
    await eventually(() => (childrenOf(gateway.pid).length > 2 ? true : null), 'a new worker', PATIENCE_MS);
    const children = childrenOf(gateway.pid).map(({ pid }) => pid);
    expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    expect(await slow).toBe('whole');
    await upgrade;
    expect(children.filter(isAlive)).toEqual([]);
  },
  TEST_MS,
);

test(
  'the second SIGTERM ends every process at once',
  async () => {
    await start({ drainTimeout: '60s' });
    const slow = fetch(`${gateway.urls[0]}/slow`).then(
      (reply) => reply.text(),
      () => 'cut off',
    );
    await eventually(async () => ((await gateway.inFlight()) > 0 ? true : null), 'the request to be under way');
    const children = childrenOf(gateway.pid).map(({ pid }) => pid);
    gateway.process.signal('SIGTERM');
    await gateway.process.stdout.line(/Draining/, PATIENCE_MS);
    expect(await gateway.terminate()).toEqual({ code: 1, signal: null });
    expect(await slow).toBe('cut off');
    await eventually(() => (children.some(isAlive) ? null : true), 'the workers to be gone');
  },
  TEST_MS,
);

test(
  'restarts and upgrades leave neither descriptors nor zombies, and secrets are in no argument',
  async () => {
    await start();
    const count = async (): Promise<number> => {
      await allBack();
      await eventually(() => (childrenOf(gateway.pid).length === 2 ? true : null), 'those before to end', PATIENCE_MS);
      return descriptorsOf(gateway.pid);
    };
    expect(await post('/upgrade')).toMatchObject({ replaced: 2 });
    const before = await count();
    for (let round = 0; round < 5; round += 1) {
      expect(await post('/upgrade')).toMatchObject({ replaced: 2 });
      const now = await pids();
      // A minute of life would begin the pauses anew: each slot is killed twice.
      if (round < 2) for (const pid of now) process.kill(pid, 'SIGKILL');
      if (round < 2) await allBack(now);
    }
    const after = await count();
    console.info(`${before} descriptors, then ${after}`);
    expect(after).toBeLessThanOrEqual(before + 2);
    expect(childrenOf(gateway.pid).filter(({ state }) => state === 'Z')).toEqual([]);
    for (const pid of await pids()) {
      const words = readFileSync(`/proc/${pid}/cmdline`, 'latin1').split('\0').filter(Boolean);
      expect(words.at(-1)).toMatch(/worker-main\.ts$/);
    }
  },
  TEST_MS,
);

test(
  'a log file that all workers write to has whole lines of all of them, in each part that it is rotated into',
  async () => {
    const log = join(directory, 'access.log');
    await start({ accessLog: { enabled: true, file: log } });
    const load = new WorkerLoad(gateway.port('http'), 32);
    const parts: string[] = [];
    for (let part = 1; part <= 4; part += 1) {
      const from = load.answered;
      await eventually(() => (load.answered > from + 800 ? true : null), 'the load to flow', PATIENCE_MS);
      const rotated = `${log}.${part}`;
      renameSync(log, rotated);
      parts.push(rotated);
      gateway.process.signal('SIGUSR2');
      await eventually(() => (existsSync(log) ? true : null), 'the log to be there again');
    }
    await load.stop();
    expect(await gateway.terminate()).toEqual({ code: 0, signal: null });
    let written = 0;
    for (const part of [...parts, log]) {
      const lines = readFileSync(part, 'utf8').split('\n').slice(0, -1);
      const workers = lines.map((line) => (JSON.parse(line) as { worker: number }).worker);
      if (part !== log) expect(new Set(workers)).toEqual(new Set([1, 2]));
      written += lines.length;
    }
    expect(written).toBe(load.answered);
  },
  TEST_MS,
);

test(
  'what is ordered while a worker starts reaches it too',
  async () => {
    await start();
    const upgrade = post('/upgrade');
    await eventually(() => (childrenOf(gateway.pid).length > 2 ? true : null), 'a new worker', PATIENCE_MS);
    const put = async (path: string, body: object): Promise<number> => {
      const headers = { 'content-type': 'application/json' };
      const reply = await fetch(`${gateway.adminUrl}${path}`, { method: 'PUT', headers, body: JSON.stringify(body) });
      return reply.status;
    };
    expect(await put('/maintenance', { on: true })).toBe(200);
    expect(await put('/log-level', { level: 'debug' })).toBe(200);
    expect(await upgrade).toMatchObject({ replaced: 2 });
    const replies = Array.from({ length: 24 }, async () => (await fetch(gateway.urls[0] ?? '')).status);
    expect(new Set(await Promise.all(replies))).toEqual(new Set([503]));
    const told = gateway.process.stdout.lines.flatMap((line) => {
      const worker = /"worker":(\d).*The log has another level/.exec(line)?.[1];
      return worker ?? [];
    });
    // The supervisor, and each worker at least once.
    expect(new Set(told)).toEqual(new Set(['0', '1', '2']));
  },
  TEST_MS,
);

test(
  'when all workers are killed at once, again and again, one of those that come makes the health checks',
  async () => {
    const health = { path: '/health', interval: '100ms', jitter: 0 } as const;
    await start({ pools: { shop: { endpoints: [`127.0.0.1:${service.port}`], health } } });
    for (let round = 0; round < 3; round += 1) {
      const before = await pids();
      for (const pid of before) process.kill(pid, 'SIGKILL');
      await allBack(before);
      const from = probes;
      await eventually(() => (probes >= from + 5 ? true : null), 'checks to go on', PATIENCE_MS);
    }
    expect(await bodies()).toEqual(new Set(['whole']));
  },
  TEST_MS,
);
