import type { WorkerProcess } from './worker-process.ts';

const EVERY_MS = 5_000;
/** No step of a worker takes as long, on a machine that has nothing left. */
const HANGS_MS = 25_000;
/** After a sleep of the whole machine the first answer may come after its time is over. */
const SECOND_MS = 5_000;

/** Asks a worker for a sign of life again and again, until it has ended. `hangs` is told once when none comes: within 35 s of the last. */
export async function watchPulse(worker: WorkerProcess, hangs: () => void): Promise<void> {
  while (worker.alive) {
    await pause(worker);
    if ((await answers(worker, HANGS_MS)) || (await answers(worker, SECOND_MS))) continue;
    if (worker.alive) hangs();
    return;
  }
}

async function pause(worker: WorkerProcess): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, EVERY_MS);
  await Promise.race([promise, worker.ended]);
  clearTimeout(timer);
}

function answers(worker: WorkerProcess, patienceMs: number): Promise<boolean> {
  return worker.ask('beat', [], patienceMs).then(
    () => true,
    () => false,
  );
}
