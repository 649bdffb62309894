import { lasting, mergedFamilies } from './merge-families.ts';
import type { PlainFamily } from './protocol.ts';
import type { WorkerProcess } from './worker-process.ts';

/** Tens of thousands of series take a while. */
const COUNTS_MS = 20_000;

/** What all workers have counted, those that have ended among them. */
export class FleetCounts {
  /** What each process said last: those of the slots, and those that drain. */
  readonly #counted = new Map<WorkerProcess, readonly PlainFamily[]>();
  /** Of those that have ended. As large as what one has. */
  #ended: readonly PlainFamily[] = [];
  #reading: Promise<readonly PlainFamily[]> | null = null;

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

  /** Asks every worker; who asks while they are asked gets the same. One that does not answer is what it was when it did. */
  read(): Promise<readonly PlainFamily[]> {
    this.#reading ??= this.#readAll().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readAll(): Promise<readonly PlainFamily[]> {
    await Promise.all(Array.from(this.#counted.keys(), (worker) => this.#ask(worker)));
    return mergedFamilies([...this.#counted.values(), this.#ended]);
  }

  async #ask(worker: WorkerProcess): Promise<void> {
    if (worker.silent) return;
    const families = await worker.ask('families', [], COUNTS_MS).catch(() => null);
    // It may have ended meanwhile, with its counts taken.
    if (families !== null && this.#counted.has(worker)) this.#counted.set(worker, families);
  }
}
