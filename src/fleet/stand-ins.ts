import type { WorkerProcess } from './worker-process.ts';

/** Who accepts what comes to the sockets of workers that are not there. */
export class StandIns {
  readonly #members: () => readonly WorkerProcess[];
  /** Whether the worker of that number is there. */
  readonly #present: (number: number) => boolean;
  /** By number of who is not there; bounded by the number of workers. */
  readonly #standIns = new Map<number, { readonly worker: WorkerProcess; readonly left: number }>();

  constructor(members: () => readonly WorkerProcess[], present: (number: number) => boolean) {
    this.#members = members;
    this.#present = present;
  }

  /** Somebody else accepts for worker `number` until it is back; for whom the one that is gone stood in, another one does. */
  async replace(number: number, gone: WorkerProcess): Promise<void> {
    const orphans = [...this.#standIns].flatMap(([of, { worker }]) => (worker === gone ? [of] : []));
    await Promise.all([...orphans, number].map((of) => this.#lend(of)));
  }

  /** It is back. Once the last copy is in use it stays so: the socket would have nobody at the next time. */
  async giveBack(number: number): Promise<void> {
    const standIn = this.#standIns.get(number);
    if (standIn === undefined || standIn.left === 0) return;
    this.#standIns.delete(number);
    await standIn.worker.ask('giveBack', [number]).catch(() => {});
  }

  async #lend(number: number): Promise<void> {
    this.#standIns.delete(number);
    for (const worker of this.#members()) {
      if (worker.number === number) continue;
      const left = await worker.ask('borrow', [number]).catch(() => null);
      if (left === null) continue;
      this.#standIns.set(number, { worker, left });
      // It may have come back meanwhile.
      if (this.#present(number)) await this.giveBack(number);
      return;
    }
  }
}
