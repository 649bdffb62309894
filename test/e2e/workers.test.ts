import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { WorkerLoad } from '../kit/worker-load.ts';
import { GatewayProcess, MAIN } from './kit/gateway-process.ts';
import { LocalService } from './kit/local-service.ts';
import { eventually } from './kit/patience.ts';
import { run } from './kit/spawned.ts';
import { temporaryDirectory } from './kit/temporary-directory.ts';

const directory = temporaryDirectory();
const WORKERS = 2;
/** A worker is a process, which takes its time to start while others work. */
const RESTART_MS = 60_000;
const CLIENTS = 32;

let service: LocalService;
let gateway: GatewayProcess;

beforeAll(async () => {
  service = await LocalService.listen(({ url }, response) => {
    // Long enough for requests to be in flight when something ends.
    setTimeout(() => response.setHeader('content-length', 5).end('whole'), url === '/' ? 3_000 : 5);
  });
});

afterAll(async () => {
  await service?.close();
});

async function startWorkers(): Promise<void> {
  gateway = await GatewayProcess.start(
    {
      workers: WORKERS,
      listeners: { http: { address: '127.0.0.1', port: 0 } },
      pools: { shop: { endpoints: [`127.0.0.1:${service.port}`] } },
      routes: [{ pool: 'shop' }],
      accessLog: { enabled: false },
      drainTimeout: '5s',
    },
    directory,
  );
  onTestFinished(() => gateway.stop());
}

async function restarts(): Promise<number> {
  const { workers } = await gateway.status();
  return workers?.every(({ pid }) => pid !== null) === true
    ? workers.reduce((sum, worker) => sum + worker.restarts, 0)
    : -1;
}

test('each worker that is killed under load takes no more with it than what it was doing', async () => {
  await startWorkers();
  const load = new WorkerLoad(gateway.port('http'), CLIENTS);
  for (let kill = 1; kill <= 5; kill += 1) {
    const from = load.answered;
    await eventually(() => (load.answered > from + 300 ? true : null), 'the load to flow');
    const { workers } = await gateway.status();
    const failedBefore = load.failed.length;
    const inFlight = await gateway.inFlight();
    load.kills = kill;
    process.kill(workers?.[kill % WORKERS]?.pid ?? 0, 'SIGKILL');
    await eventually(async () => ((await restarts()) === kill ? true : null), 'the worker to be back', RESTART_MS);
    const failed = load.failed.slice(failedBefore);
    console.info(
      `kill ${kill}: ${failed.length} failed of ${CLIENTS} clients, ${inFlight} in flight at all workers shortly before`,
    );
    // Whoever connected after it was not to know: it has been somebody else's from the beginning.
    expect(failed.filter(({ openedAt }) => openedAt >= kill)).toEqual([]);
    expect(failed.length).toBeLessThanOrEqual(CLIENTS);
  }
  await load.stop();
  expect(load.failed.filter(({ failure }) => failure?.startsWith('connect'))).toEqual([]);
  console.info(`${load.answered} answered, ${load.failed.length} failed in 5 kills`);
}, 240_000);

test('headgate upgrade under load replaces every worker, and no request fails', async () => {
  await startWorkers();
  const before = await gateway.status();
  const load = new WorkerLoad(gateway.port('http'), CLIENTS);
  await eventually(() => (load.answered > 500 ? true : null), 'the load to flow');
  const done = await run(process.execPath, [MAIN, 'upgrade', '--admin', gateway.adminUrl], {
    cwd: directory,
    patienceMs: 90_000,
  });
  expect(done).toMatchObject({ code: 0, stdout: expect.stringContaining(`${WORKERS} workers replaced`) });
  const from = load.answered;
  await eventually(() => (load.answered > from + 500 ? true : null), 'the load to go on');
  await load.stop();
  const after = await gateway.status();
  const pids = (status: typeof before) => status.workers?.map(({ pid }) => pid) ?? [];
  expect(pids(after).filter((pid) => pids(before).includes(pid))).toEqual([]);
  expect(after.workers?.map(({ restarts: count }) => count)).toEqual(Array(WORKERS).fill(0));
  console.info(`${load.answered} answered, ${load.failed.length} failed`);
  expect(load.failed).toEqual([]);
}, 240_000);

test('when the supervisor is killed, the workers finish what they have begun, and end', async () => {
  await startWorkers();
  const pids = (await gateway.status()).workers?.map(({ pid }) => pid ?? 0) ?? [];
  const begun = fetch(gateway.urls[0] ?? '').then((reply) => reply.text());
  await eventually(async () => ((await gateway.inFlight()) > 0 ? true : null), 'the request to be under way');
  process.kill(gateway.pid, 'SIGKILL');
  expect(await begun).toBe('whole');
  await eventually(() => (pids.some(isAlive) ? null : true), 'the workers to end', RESTART_MS);
  await expect(fetch(gateway.urls[0] ?? '')).rejects.toThrow();
}, 240_000);

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH
    return false;
  }
}

test('a configuration with a mistake is told once, with its exit code', async () => {
  const file = join(directory, 'wrong.yaml');
  writeFileSync(
    file,
    'workers: 4\nroutes:\n  - { pool: nowhere }\nlisteners: { web: { port: 0 } }\nadmin: { port: 0 }\n',
  );
  const args = [MAIN, 'start', '--strict', '-c', file];
  const done = await run(process.execPath, args, { cwd: directory, patienceMs: RESTART_MS });
  expect(done.code).toBe(78);
  expect(done.stderr.match(/nowhere/g)?.length).toBeLessThanOrEqual(2);
  expect(done.stderr).toContain('Nothing was started.');
});

test('a port that is taken is told once, with its exit code', async () => {
  const file = join(directory, 'taken.yaml');
  writeFileSync(
    file,
    JSON.stringify({
      workers: 2,
      listeners: { web: { address: '127.0.0.1', port: service.port } },
      admin: { port: 0 },
    }),
  );
  const done = await run(process.execPath, [MAIN, 'start', '-c', file], { cwd: directory, patienceMs: RESTART_MS });
  expect(done.code).toBe(75);
  expect(done.stderr.trim().split('\n')).toHaveLength(1);
});
