import { codeOf } from './file-system.ts';

/** Deletions at a time. */
const REMOVERS = 4;

/**
 * Files that have to go, in the order that this was found out. They never wait for what is written. Bounded by what there was: each
 * entry waits here once, as the name of its file.
 */
export class Removals {
  readonly #remove: (id: string) => Promise<void>;
  readonly #failed: (code: string) => void;
  #waiting: string[] = [];
  /** The first that waits: taking it out of a list of 100 000 would move all others. */
  #next = 0;
  readonly #idle: (() => void)[] = [];
  #active = 0;

  /** `remove` may reject; that it is gone already is no failure. */
  constructor(remove: (id: string) => Promise<void>, failed: (code: string) => void) {
    this.#remove = remove;
    this.#failed = failed;
  }

  get count(): number {
    return this.#waiting.length - this.#next + this.#active;
  }

  add(id: string): void {
    this.#waiting.push(id);
    if (this.#active < REMOVERS) void this.#work();
  }

  /** Resolves when everything that waits now is gone. */
  idle(): Promise<void> {
    if (this.count === 0) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#idle.push(resolve);
    return promise;
  }

  async #work(): Promise<void> {
    this.#active += 1;
    for (let id = this.#take(); id !== undefined; id = this.#take()) {
      try {
        await this.#remove(id);
      } catch (error) {
        if (codeOf(error) !== 'ENOENT') this.#failed(codeOf(error));
      }
    }
    this.#active -= 1;
    if (this.count === 0) for (const resolve of this.#idle.splice(0)) resolve();
  }

  #take(): string | undefined {
    const id = this.#waiting[this.#next];
    this.#next += 1;
    if (id !== undefined) return id;
    this.#waiting = [];
    this.#next = 0;
    return undefined;
  }
}
