import type { Series } from '../observe/family.ts';
import { lasting, mergedFamilies } from './merge-families.ts';
import type { PlainFamily } from './protocol.ts';
import type { Slot } from './slot.ts';
import type { WorkerProcess } from './worker-process.ts';

/** What all workers have counted, those that have ended among them. */
export class FleetCounts {
  readonly #slots: readonly Slot[];
  /** What each process said last: those of the slots, and those that drain. */
  readonly #counted = new Map<WorkerProcess, readonly PlainFamily[]>();
  /** Of those that have ended. As large as what one has. */
  #ended: readonly PlainFamily[] = [];

  constructor(slots: readonly Slot[]) {
    this.#slots = slots;
  }

  add(worker: WorkerProcess): void {
    this.#counted.set(worker, []);
  }

  /**
   * A worker counts no more. `last` is what it had counted; without, it is what it said last: what a killed one has counted after
   * that is lost, and nothing goes backwards. A second time changes nothing.
   */
  keep(worker: WorkerProcess, last: readonly PlainFamily[] | null = null): void {
    const counted = this.#counted.get(worker);
    if (counted === undefined) return;
    this.#counted.delete(worker);
    this.#ended = mergedFamilies([this.#ended, lasting(last ?? counted)]);
  }

  /** Asks every worker. One that does not answer is what it was when it did. */
  async read(): Promise<readonly PlainFamily[]> {
    await Promise.all(Array.from(this.#counted.keys(), (worker) => this.#ask(worker)));
    return [...mergedFamilies([...this.#counted.values(), this.#ended]), ...this.#ownFamilies()];
  }

  async #ask(worker: WorkerProcess): Promise<void> {
    const families = await worker.ask('families', []).catch(() => null);
    // It may have ended meanwhile, with its counts taken.
    if (families !== null && this.#counted.has(worker)) this.#counted.set(worker, families);
  }

  #ownFamilies(): readonly PlainFamily[] {
    const up: Series[] = this.#slots.map(({ number, worker }) => [[String(number)], worker === null ? 0 : 1]);
    const restarts: Series[] = this.#slots.map((slot) => [[String(slot.number)], slot.restarts]);
    const labels = ['worker'];
    return [
      { name: 'headgate_worker_up', kind: 'gauge', help: 'Does this worker serve', labels, series: up },
      {
        ...{ name: 'headgate_worker_restarts_total', kind: 'counter', labels, series: restarts },
        help: 'Times that this worker was started again after it had ended by itself',
      },
    ];
  }
}
