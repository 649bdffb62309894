import type { AdminDesk } from '../admin/desk.ts';
import type { Crew } from './crew.ts';
import type { FleetSources } from './fleet-desk.ts';
import type { DeskCall } from './protocol.ts';
import { NoAnswer, type WorkerProcess } from './worker-process.ts';

/** A worker that misses one of these would go on otherwise than the others. */
const ORDERS: ReadonlySet<keyof AdminDesk> = new Set([
  ...(['drain', 'disable', 'enable', 'setWeight', 'setMaintenance', 'purge', 'setLogLevel'] as const),
]);

/** Looks at all that there is; everything else is answered at once. */
const LONG: ReadonlySet<keyof AdminDesk> = new Set(['explain', 'purge', 'cacheEntries']);
const LONG_MS = 60_000;
/** Also by one that is about to open its listeners. */
const ORDER_MS = 15_000;

/** The questions of a desk to workers. */
export function asking(crew: Crew): Pick<FleetSources, 'askAll' | 'askOne'> {
  return {
    askAll: async (call) => {
      // One that has not answered lately is not waited for again, unless it has to hear of it.
      const workers = crew.members.filter((worker) => ORDERS.has(call.method) || answersSoon(worker));
      const answers = await Promise.all(workers.map((worker) => answerOf(worker, call)));
      return answers.filter((answer) => answer !== UNANSWERED);
    },
    askOne: async (call) => {
      for (const worker of crew.members) {
        const answer = answersSoon(worker) ? await answerOf(worker, call) : UNANSWERED;
        if (answer !== UNANSWERED) return answer;
      }
      throw new NoAnswer('No worker answers');
    },
  };
}

function patienceFor({ method }: DeskCall): number | undefined {
  if (LONG.has(method)) return LONG_MS;
  return ORDERS.has(method) ? ORDER_MS : undefined;
}

function answersSoon({ serves, silent }: WorkerProcess): boolean {
  return serves && !silent;
}

const UNANSWERED = Symbol('unanswered');

/** One that has ended has no part in the answer; a bug has. */
async function answerOf(worker: WorkerProcess, call: DeskCall): Promise<unknown> {
  try {
    return await worker.ask('desk', [call], patienceFor(call));
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    // Its successor knows.
    if (ORDERS.has(call.method)) worker.kill();
    return UNANSWERED;
  }
}
