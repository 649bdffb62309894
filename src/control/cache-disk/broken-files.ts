import type { Clock } from '../../clock.ts';
import type { DiskCounts, DiskObserver } from './disk-events.ts';

/** A disk that rots says so in one line a minute, not in one a file. */
const TELLING_MS = 60_000;

/** Counts files that were not what was written, and tells of them now and then. */
export class BrokenFiles {
  readonly #clock: Clock;
  readonly #observer: DiskObserver;
  readonly #counts: DiskCounts;
  #untold = 0;
  #nextMs = 0;

  constructor(clock: Clock, observer: DiskObserver, counts: DiskCounts) {
    this.#clock = clock;
    this.#observer = observer;
    this.#counts = counts;
  }

  found(why: string): void {
    this.#counts.broken(why);
    this.#untold += 1;
    const now = this.#clock.monotonic();
    if (now < this.#nextMs) return;
    this.#observer.disk({ kind: 'corrupt', why, count: this.#untold });
    this.#untold = 0;
    this.#nextMs = now + TELLING_MS;
  }
}
