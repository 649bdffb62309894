import type { ConfigText, Servable } from '../config/load.ts';
import { type Plan, summaryOf } from '../control/plan/plan.ts';
import type { Prepared, ReloadChanges } from '../control/reload.ts';
import { StartError } from '../gateway/start-error.ts';
import type { Crew } from './crew.ts';
import { errorOf } from './refusal.ts';
import type { Served } from './served.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Longest that preparing a configuration takes in a worker. */
const PREPARE_MS = 120_000;

/**
 * All workers are ready for the next configuration before the first serves by it; `Prepared` has nothing left to do. Where listeners are new or
 * elsewhere, workers that are started with their sockets take the places of those that serve, which drain. Rejects with the reason of the first
 * that is not ready; nothing has changed then.
 */
export async function reloadFleet(crew: Crew, next: { servable: Servable; text: ConfigText }): Promise<Prepared> {
  const { sockets } = crew.served;
  const changes = sockets.holds(next.servable.config)
    ? await inPlace(crew, { ...next, sockets })
    : await byReplacement(crew, next);
  return { commit: () => changes, abandon: async () => {} };
}

async function inPlace(crew: Crew, next: Served): Promise<ReloadChanges> {
  await allReady(crew, next);
  const workers = crew.members;
  const before = crew.served;
  crew.serve(next);
  const answers = await Promise.all(
    workers.map((worker) =>
      worker.ask('commit', []).catch(() => {
        // It would serve by the configuration before: its successor does not.
        worker.kill();
        return null;
      }),
    ),
  );
  const done = answers.find((answer) => answer !== null);
  if (done === undefined || done === null) {
    crew.serve(before);
    throw new StartError('No worker is left to serve by it');
  }
  next.sockets.retain(next.servable.config);
  crew.quarantined = done.quarantined;
  return done;
}

/** Resolves when every worker, also one that has come meanwhile, is ready; else rejects, and none is. */
async function allReady(crew: Crew, { text, servable }: Served): Promise<void> {
  const ready = new Set<WorkerProcess>();
  const asked = { text, seed: crew.seedFor(servable) };
  while (true) {
    const others = crew.members.filter((worker) => !ready.has(worker));
    if (others.length === 0) return;
    for (const worker of others) ready.add(worker);
    const refusals = await Promise.all(
      others.map((worker) => worker.ask('prepare', [asked], PREPARE_MS).catch((error: unknown) => obstacleOf(error))),
    );
    const refusal = refusals.find((candidate) => candidate !== null);
    if (refusal === undefined || refusal === null) continue;
    await Promise.all(Array.from(ready, (worker) => worker.ask('abandon', []).catch(() => {})));
    throw errorOf(refusal);
  }
}

async function byReplacement(crew: Crew, { servable, text }: Omit<Served, 'sockets'>): Promise<ReloadChanges> {
  const before = crew.served;
  const sockets = await before.sockets.extended(servable);
  const fresh: WorkerProcess[] = [];
  try {
    const next = { servable, text, sockets };
    const plan = await planFleet(crew, text);
    const started = crew.slots.map(async (slot) => {
      const worker = await crew.spawn(slot, next);
      fresh.push(worker);
      return worker;
    });
    const workers = await Promise.all(started);
    await Promise.all(workers.map(({ prepared }) => prepared));
    await crew.replaceAll(next, workers);
    before.sockets.letGo(sockets);
    const { opened, changed, closed } = plan.listeners;
    const listeners = { opened, changed: changed.map(({ name }) => name), closed };
    return { ...summaryOf(plan), listeners, needsRestart: plan.needsRestart, quarantined: crew.quarantined };
  } catch (error) {
    for (const worker of fresh) worker.kill();
    sockets.letGo(before.sockets);
    throw error;
  }
}

/** What would change, as the first worker that says so knows it. Rejects with why it could not be served. */
export async function planFleet(crew: Crew, text: ConfigText): Promise<Plan> {
  for (const worker of crew.members) {
    const answer = await worker.ask('plan', [text], PREPARE_MS).catch(() => null);
    if (answer === null) continue;
    if ('refusal' in answer) throw errorOf(answer.refusal);
    return answer;
  }
  throw new StartError('No worker is there to compare it with');
}

function obstacleOf(error: unknown) {
  return { kind: 'obstacle', obstacle: 'configuration', message: (error as Error).message } as const;
}
