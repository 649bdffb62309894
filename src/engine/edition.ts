import type { Snapshot } from './snapshot.ts';

/** A snapshot and the exchanges that started with it. Retires when it is superseded and its last exchange has ended. */
export class Edition {
  #snapshot: Snapshot;
  #exchanges = 0;
  #retired: (() => void) | null = null;

  constructor(snapshot: Snapshot) {
    this.#snapshot = snapshot;
  }

  /** Once it is superseded, without what only new exchanges need. */
  get snapshot(): Snapshot {
    return this.#snapshot;
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
    this.#snapshot = remainsOf(this.#snapshot);
    this.#retired = retired;
    if (this.#exchanges === 0) retired();
  }
}

const NOTHING = new Map<string, never>();
const NOBODY = new Set<never>();

/**
 * What exchanges still ask for that have been decided on, as all have: they hold their own route and pool. A WebSocket lasts for days, and
 * five hundred of them must not keep five hundred tables of thousands of routes.
 */
function remainsOf(snapshot: Snapshot): Snapshot {
  const gone = { listeners: NOTHING, streams: NOTHING, pools: NOTHING, mirrors: NOBODY, policyStates: NOBODY };
  return { ...snapshot, ...gone };
}
