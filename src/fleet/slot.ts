import { BackOff } from './back-off.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A place for a worker, which one process after the other has. */
export class Slot {
  /** From 1. */
  readonly number: number;
  readonly backOff = new BackOff();
  worker: WorkerProcess | null = null;
  /** Opens its listeners, and will have the place. */
  entering: WorkerProcess | null = null;
  startedAtMs = 0;
  restarts = 0;
  /** When the next one is started. */
  timer: NodeJS.Timeout | null = null;
  /** A process is being started for it. */
  filling = false;
  /** Raised when somebody else gets the place than whoever was about to. */
  turn = 0;

  constructor(number: number) {
    this.number = number;
  }

  /** Who serves, or is about to. */
  get members(): readonly WorkerProcess[] {
    return [this.worker, this.entering].flatMap((worker) => (worker?.alive === true ? [worker] : []));
  }

  has(worker: WorkerProcess): void {
    this.worker = worker;
    this.startedAtMs = Date.now();
  }

  /** Nobody who is about to get the place does. */
  nextTurn(): number {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
    this.turn += 1;
    return this.turn;
  }
}
