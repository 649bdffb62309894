/** The first restart is at once; then each is twice as far, up to half a minute. */
const FIRST_MS = 100;
const LONGEST_MS = 30_000;
/** Who has lived so long ended for a new reason. */
const STABLE_MS = 60_000;

/** How long to wait until a process that ends again and again is started again. */
export class BackOff {
  #inARow = 0;

  /** Milliseconds, after a life of `livedMs`. */
  next(livedMs: number): number {
    if (livedMs >= STABLE_MS) this.#inARow = 0;
    this.#inARow += 1;
    return this.#inARow === 1 ? 0 : Math.min(FIRST_MS * 2 ** (this.#inARow - 2), LONGEST_MS);
  }
}
