import type { DeskCall } from './protocol.ts';

/** Endpoints that are set by hand, and routes out of service. More than any operator has at a time. */
const MOST_BY_HAND = 10_000;

/** What was set by hand, for workers to come. */
export class Orders {
  /** In the order in which they were given; bounded by `MOST_BY_HAND`. */
  readonly #byHand = new Map<string, DeskCall>();

  get all(): readonly DeskCall[] {
    return [...this.#byHand.values()];
  }

  /**
   * In place of what was under `key`. To be called before anybody is asked to carry it out, so that who comes meanwhile knows of it; the
   * result takes it back, for when nobody could.
   */
  remember(key: string, call: DeskCall): () => void {
    const before = this.#byHand.get(key);
    this.#byHand.delete(key);
    if (this.#byHand.size < MOST_BY_HAND) this.#byHand.set(key, call);
    return () => {
      if (this.#byHand.get(key) !== call) return;
      if (before === undefined) this.#byHand.delete(key);
      else this.#byHand.set(key, before);
    };
  }
}
