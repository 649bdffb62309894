import { BackOff } from './back-off.ts';
import type { WorkerProcess } from './worker-process.ts';

/** A place for a worker, which one process after the other has. */
export class Slot {
  /** From 1. */
  readonly number: number;
  readonly backOff = new BackOff();
  worker: WorkerProcess | null = null;
  startedAtMs = 0;
  restarts = 0;
  /** When the next one is started. */
  timer: NodeJS.Timeout | null = null;

  constructor(number: number) {
    this.number = number;
  }

  has(worker: WorkerProcess): void {
    this.worker = worker;
    this.startedAtMs = Date.now();
  }
}
