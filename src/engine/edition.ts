import type { Snapshot } from './snapshot.ts';

/** A snapshot and the exchanges that started with it. Retires when it is superseded and its last exchange has ended. */
export class Edition {
  readonly snapshot: Snapshot;
  #exchanges = 0;
  #retired: (() => void) | null = null;

  constructor(snapshot: Snapshot) {
    this.snapshot = snapshot;
  }

  /** Exchanges that are under way. */
  get exchanges(): number {
    return this.#exchanges;
  }

  pin(): void {
    this.#exchanges += 1;
  }

  unpin(): void {
    this.#exchanges -= 1;
    if (this.#exchanges === 0 && this.#retired !== null) this.#retired();
  }

  /** A newer edition has taken over; `retired` is called once nobody uses this one any more. */
  supersede(retired: () => void): void {
    this.#retired = retired;
    if (this.#exchanges === 0) retired();
  }
}
