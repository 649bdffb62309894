import { expect, test } from 'vitest';
import type { Crew } from '../../../src/fleet/crew.ts';
import { reloadFleet } from '../../../src/fleet/fleet-reload.ts';
import type { Refusal } from '../../../src/fleet/protocol.ts';
import type { Served } from '../../../src/fleet/served.ts';
import { NoAnswer, type WorkerProcess } from '../../../src/fleet/worker-process.ts';

const SUMMARY = { needsRestart: [], quarantined: [] };

/** Answers as it is told to, and remembers what it was asked. */
class ScriptedWorker {
  readonly asked: string[] = [];
  killed = false;
  readonly #answers: Readonly<Record<string, () => unknown>>;

  constructor(answers: Readonly<Record<string, () => unknown>> = {}) {
    this.#answers = answers;
  }

  async ask(name: string): Promise<unknown> {
    this.asked.push(name);
    await Promise.resolve();
    const answer = this.#answers[name];
    if (answer !== undefined) return answer();
    return name === 'commit' ? SUMMARY : null;
  }

  kill(): void {
    this.killed = true;
  }
}

/** A crew of scripted workers; `next` is what is served after the reload. */
function crewOf(workers: ScriptedWorker[]) {
  const sockets = { holds: () => true, retain: () => {} };
  const before = { servable: { config: {} }, text: 'before', sockets } as unknown as Served;
  const crew = {
    members: workers as unknown as WorkerProcess[],
    served: before,
    quarantined: [],
    seedFor: () => ({ key: new Uint8Array(), chains: [] }),
    serve: (next: Served) => {
      crew.served = next;
    },
  };
  const servable = { config: {}, origins: {} };
  const reload = () =>
    reloadFleet(crew as unknown as Crew, { servable, text: 'next' } as unknown as Parameters<typeof reloadFleet>[1]);
  return { crew, before, reload };
}

function refusing(): Refusal {
  return { kind: 'obstacle', obstacle: 'configuration', message: 'Cannot read a file' };
}

test('when one worker alone is not ready, nobody serves by it', async () => {
  const workers = [new ScriptedWorker(), new ScriptedWorker({ prepare: refusing }), new ScriptedWorker()];
  const { crew, before, reload } = crewOf(workers);
  await expect(reload()).rejects.toThrow('Cannot read a file');
  expect(workers.map(({ asked }) => asked)).toEqual(Array(3).fill(['prepare', 'abandon']));
  expect(crew.served).toBe(before);
});

test('when a worker ends before all are ready, nobody serves by it', async () => {
  const ended = () => Promise.reject(new NoAnswer('Worker 2 has ended by SIGKILL'));
  const workers = [new ScriptedWorker(), new ScriptedWorker({ prepare: ended })];
  const { crew, before, reload } = crewOf(workers);
  await expect(reload()).rejects.toThrow('Worker 2 has ended by SIGKILL');
  expect(workers[0]?.asked).toEqual(['prepare', 'abandon']);
  expect(crew.served).toBe(before);
});

test('a worker that comes while others get ready is made ready too', async () => {
  const late = new ScriptedWorker();
  const workers = [
    new ScriptedWorker({
      prepare: () => {
        workers.push(late);
        return null;
      },
    }),
  ];
  const { crew, before, reload } = crewOf(workers);
  await reload();
  expect(late.asked).toEqual(['prepare', 'commit']);
  expect(crew.served).not.toBe(before);
});

test('a worker that does not take what it was ready for is ended, as its successor will; the others serve by it', async () => {
  const stuck = new ScriptedWorker({ commit: () => Promise.reject(new NoAnswer('Worker 1 does not answer')) });
  const { crew, before, reload } = crewOf([stuck, new ScriptedWorker()]);
  await reload();
  expect(stuck.killed).toBe(true);
  expect(crew.served).not.toBe(before);
});

test('when all workers end between the phases, what is refused is not served by those that come', async () => {
  const ended = () => Promise.reject(new NoAnswer('It has ended'));
  const { crew, before, reload } = crewOf([
    new ScriptedWorker({ commit: ended }),
    new ScriptedWorker({ commit: ended }),
  ]);
  await expect(reload()).rejects.toThrow('No worker is left');
  expect(crew.served).toBe(before);
});
