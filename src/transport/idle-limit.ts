/**
 * A connection that was idle for less than this may always be used: closed so early, it was no time-out. The endpoint has
 * restarted, or does not keep connections and did not say so. Besides, a busy endpoint's are all younger than this.
 */
const SHORTEST_MS = 100;
/** Share of the time that an endpoint keeps idle connections in which none is used any more, within these bounds. */
const MARGIN_SHARE = 0.25;
const MIN_MARGIN_MS = 300;
const MAX_MARGIN_MS = 2_000;
/** So many connections in a row that lived longer than what was learned prove it wrong. */
const DOUBTS = 2;

/**
 * How long an endpoint keeps idle connections, as far as it was seen to close them: many never say `Keep-Alive: timeout`.
 *
 * The shortest time counts, and at once. It need not be the endpoint's time-out, though: a restart closes connections of any age.
 * So one connection is watched beyond that time, without being used (`IdleConnections`). Closed by then, it confirms; two in a
 * row that live longer take the place of what was learned.
 */
export class IdleLimit {
  #seenMs = Number.POSITIVE_INFINITY;
  #doubts = 0;
  #longerMs = Number.POSITIVE_INFINITY;

  /** Milliseconds; infinite while no idle connection was seen to be closed. */
  get seenMs(): number {
    return this.#seenMs;
  }

  /** The endpoint has closed a connection that had been idle for so long; infinite: it has not, as long as anybody cared. */
  closed(idleMs: number): void {
    if (idleMs < SHORTEST_MS) return;
    if (idleMs <= this.#seenMs * 1.1 + SHORTEST_MS) {
      this.#seenMs = Math.min(this.#seenMs, idleMs);
      this.#settle();
      return;
    }
    this.#doubts += 1;
    this.#longerMs = Math.min(this.#longerMs, idleMs);
    if (this.#doubts < DOUBTS) return;
    this.#seenMs = this.#longerMs;
    this.#settle();
  }

  #settle(): void {
    this.#doubts = 0;
    this.#longerMs = Number.POSITIVE_INFINITY;
  }
}

/**
 * How long before the end of `limitMs` an idle connection is not used any more. It covers the way of the request to the endpoint,
 * which has counted from half a round trip before we did (`roundTripMs`), and an endpoint that is busy when the request comes:
 * its timer may run before it looks at its sockets. `chance`, in [0, 1), spreads connections that were made together.
 */
export function marginOf(limitMs: number, roundTripMs: number, chance: number): number {
  const share = Math.min(Math.max(limitMs * MARGIN_SHARE, MIN_MARGIN_MS), MAX_MARGIN_MS);
  return share * (1 + chance / 4) + Math.min(roundTripMs, MAX_MARGIN_MS);
}

/** How long a connection may rest before it is used once more; 0 for not at all. Infinite limits: nothing is known. */
export function restOf(saidMs: number, seenMs: number, marginMs: number): number {
  return Math.max(0, Math.min(saidMs - marginMs, Math.max(SHORTEST_MS, seenMs - marginMs)));
}
