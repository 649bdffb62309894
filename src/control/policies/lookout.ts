import type { Clock, TimerHandle } from '../../clock.ts';

const LOOK_MS = 2_000;

/**
 * Looks at something of the file system every two seconds. Not by `fs.watch`: it says nothing on network file systems, and secrets of
 * Kubernetes are links to links. One look at a time, and none after `stop`.
 */
export class Lookout {
  readonly #clock: Clock;
  /** Never rejects. */
  readonly #look: () => Promise<void>;
  #timer: TimerHandle | null = null;
  #looking: Promise<void> | null = null;
  #stopped = false;

  constructor(clock: Clock, look: () => Promise<void>) {
    this.#clock = clock;
    this.#look = look;
  }

  start(): void {
    this.#timer ??= this.#clock.after(LOOK_MS, () => void this.now());
  }

  stop(): void {
    this.#stopped = true;
    this.#rest();
  }

  /** Looks at once, or waits for the look that is under way. */
  now(): Promise<void> {
    this.#looking ??= this.#once();
    return this.#looking;
  }

  async #once(): Promise<void> {
    this.#rest();
    await this.#look();
    this.#looking = null;
    if (!this.#stopped) this.start();
  }

  #rest(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
  }
}
