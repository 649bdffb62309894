import { residentBytes } from './process-facts.ts';

const SAMPLE_MS = 50;

/** The highest resident memory of a process while it is watched. */
export class MemoryWatch {
  readonly baseBytes: number;
  #peakBytes: number;
  readonly #pid: number;
  readonly #timer: NodeJS.Timeout;

  /** Begins to watch; what is resident now is the base. */
  constructor(pid: number) {
    this.#pid = pid;
    this.baseBytes = residentBytes(pid);
    this.#peakBytes = this.baseBytes;
    this.#timer = setInterval(() => this.#sample(), SAMPLE_MS);
  }

  /** Stops watching; bytes by which the memory had grown at its highest. */
  stop(): number {
    clearInterval(this.#timer);
    this.#sample();
    return this.#peakBytes - this.baseBytes;
  }

  #sample(): void {
    this.#peakBytes = Math.max(this.#peakBytes, residentBytes(this.#pid));
  }
}
