import { StandingDelay } from './standing-delay.ts';
import type { Place, Waiter } from './waiter.ts';

/**
 * Those of one importance who wait, in the order in which they came, and how their delay is. A doubly linked list: anybody may
 * leave at any time, at no cost for the others. Its bound is kept by `PoolLimit`.
 */
export class WaitingLine {
  readonly delay = new StandingDelay();
  #oldest: Place | null = null;
  #newest: Place | null = null;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get oldest(): Place | null {
    return this.#oldest;
  }

  get newest(): Place | null {
    return this.#newest;
  }

  /** The longest wait of all who wait now, 0 when nobody does. */
  waitMs(nowMs: number): number {
    return this.#oldest === null ? 0 : nowMs - this.#oldest.sinceMs;
  }

  /** Who is next: the oldest, or the newest under standing delay. */
  get first(): Place | null {
    return this.delay.standing ? this.#newest : this.#oldest;
  }

  /** Who is next after `place`, by the same order. */
  after(place: Place): Place | null {
    return this.delay.standing ? place.older : place.newer;
  }

  add(waiter: Waiter, nowMs: number): Place {
    const place: Place = { waiter, sinceMs: nowMs, line: this, older: this.#newest, newer: null };
    if (this.#newest === null) this.#oldest = place;
    else this.#newest.newer = place;
    this.#newest = place;
    this.#size += 1;
    return place;
  }

  remove(place: Place): void {
    if (place.line !== this) return;
    place.line = null;
    if (place.older === null) this.#oldest = place.newer;
    else place.older.newer = place.newer;
    if (place.newer === null) this.#newest = place.older;
    else place.newer.older = place.older;
    place.older = null;
    place.newer = null;
    this.#size -= 1;
  }
}
