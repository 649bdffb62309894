import type { Clock } from '../clock.ts';

/** What has left the configuration is shown for so long: five times what lies between two scrapes where they are rare. */
const SHOWN_MS = 5 * 60_000;

/**
 * Names of the configuration that counts are kept for: those that it has, and those that it had until lately, so that the last counts
 * are read before they go. As large as what was configured within five minutes.
 */
export class NamesInUse {
  readonly #clock: Clock;
  #used: ReadonlySet<string> = new Set();
  readonly #left = new Map<string, number>();
  #settled = true;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** A new configuration has these. */
  adopt(names: ReadonlySet<string>): void {
    const now = this.#clock.monotonic();
    for (const name of this.#used) if (!names.has(name)) this.#left.set(name, now);
    for (const name of names) this.#left.delete(name);
    if (this.#left.size > 0) this.#settled = false;
    this.#used = names;
  }

  /** Nobody has ever left: there is nothing to forget. */
  get settled(): boolean {
    return this.#settled;
  }

  /** Those that counts are kept for. */
  kept(): ReadonlySet<string> {
    const before = this.#clock.monotonic() - SHOWN_MS;
    for (const [name, since] of this.#left) if (since <= before) this.#left.delete(name);
    return this.#left.size === 0 ? this.#used : new Set([...this.#used, ...this.#left.keys()]);
  }
}
