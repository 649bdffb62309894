import type { PolicyState } from '../policy-state.ts';

/** How many bodies are being compressed at once by one policy. Bounded by `atOnce`; above it bodies pass as they are, which is counted. */
export class Compressions implements PolicyState {
  readonly id: string;
  #atOnce: number;
  #running = 0;
  #begun = 0;
  #refused = 0;

  constructor(id: string, atOnce: number) {
    this.id = id;
    this.#atOnce = atOnce;
  }

  /** From now on. */
  set atOnce(most: number) {
    this.#atOnce = most;
  }

  get running(): number {
    return this.#running;
  }

  /** False when as many are under way as may be. Whoever gets true calls `end` once. */
  begin(): boolean {
    if (this.#running >= this.#atOnce) {
      this.#refused += 1;
      return false;
    }
    this.#running += 1;
    this.#begun += 1;
    return true;
  }

  end(): void {
    this.#running -= 1;
  }

  status(): Readonly<Record<string, number>> {
    return { running: this.#running, atOnce: this.#atOnce, compressed: this.#begun, passedUncompressed: this.#refused };
  }
}
