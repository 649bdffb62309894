const FIRST_MS = 1_000;
const LONGEST_MS = 60_000;

/** Pauses between attempts to connect for nobody in particular: 1 s after the first failure, then twice as long each time, up to 60 s. */
export class BackOff {
  readonly #random: () => number;
  #failures = 0;
  #until = 0;

  /** `random`: a number in [0, 1); pauses are up to a quarter longer by it. */
  constructor(random: () => number) {
    this.#random = random;
  }

  /** `now` on the monotonic clock. */
  isOver(now: number): boolean {
    return now >= this.#until;
  }

  failed(now: number): void {
    this.#until = now + Math.min(FIRST_MS * 2 ** this.#failures, LONGEST_MS) * (1 + this.#random() / 4);
    this.#failures = Math.min(this.#failures + 1, 10);
  }

  succeeded(): void {
    this.#failures = 0;
    this.#until = 0;
  }
}
