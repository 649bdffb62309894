import { type Purgeable, type PurgeScope, scopeTest } from './purge-scope.ts';

/** A purge of more than single keys, as it goes on. */
export interface Purge {
  readonly scope: PurgeScope;
  /** Drops what it finds; else that is stale from now on. */
  readonly hard: boolean;
  readonly atMs: number;
  /** The epoch that began with it. */
  readonly epoch: number;
  readonly means: (entry: Purgeable) => boolean;
  /** Stored responses that it has found so far. */
  found: number;
  /** Every stored response was compared with it. */
  settled: boolean;
}

/** Slots that remember the last invalidation of the keys that fall into them: 32 KiB, whatever the traffic. A power of two. */
const EPOCH_SLOTS = 4096;

/**
 * Purges that are remembered, for answers on their way: those asked for before the oldest of them are not stored. Bounds memory, and
 * what one lookup may have to compare while a purge is not settled: 512 × 50 ns.
 */
export const MOST_PURGES = 512;

const nothing: readonly Purge[] = Object.freeze([]);

/**
 * What was made invalid, and when: time is counted in epochs, one for each invalidation. Answers on their way are compared with what
 * came after they were asked for; stored ones with purges that were not settled yet, before they are used. So an
 * invalidation holds at once, whatever the store has to do about it afterwards.
 */
export class Invalidations {
  readonly #invalidatedAt = new Float64Array(EPOCH_SLOTS);
  #allAt = 0;
  #epoch = 0;
  /** Oldest first. At most `MOST_PURGES`. */
  readonly #purges: Purge[] = [];
  /** Of the last purge that was forgotten. */
  #forgottenAt = 0;
  #unsettled: readonly Purge[] = nothing;

  /** How many invalidations there were. */
  get epoch(): number {
    return this.#epoch;
  }

  /** The purges that stored responses have to be compared with, oldest first. Empty but for moments. Hot: asked for at each lookup. */
  get unsettled(): readonly Purge[] {
    return this.#unsettled;
  }

  ofKey(key: string): void {
    this.#epoch += 1;
    this.#invalidatedAt[slotOf(key)] = this.#epoch;
  }

  ofAll(): void {
    this.#epoch += 1;
    this.#allAt = this.#epoch;
  }

  /** In force when this returns. `null`: too many are not settled yet, and nothing was done. */
  purge(scope: PurgeScope, how: { readonly hard: boolean; readonly nowMs: number }): Purge | null {
    const oldest = this.#purges[0];
    if (oldest !== undefined && this.#purges.length === MOST_PURGES) {
      if (!oldest.settled) return null;
      this.#purges.shift();
      this.#forgottenAt = oldest.epoch;
    }
    this.#epoch += 1;
    const { hard, nowMs: atMs } = how;
    const means = scopeTest(scope);
    const purge: Purge = { scope, hard, atMs, epoch: this.#epoch, means, found: 0, settled: false };
    this.#purges.push(purge);
    this.#unsettled = [...this.#unsettled, purge];
    return purge;
  }

  /** Everything that was stored has been compared with the purges up to `epoch`; returns them, oldest first. */
  settle(epoch: number): readonly Purge[] {
    const settled = this.#unsettled.filter((purge) => purge.epoch <= epoch);
    for (const purge of settled) purge.settled = true;
    this.#unsettled = this.#unsettled.slice(settled.length);
    return settled;
  }

  /**
   * Was something that means `answer` made invalid after `epoch`? May say yes wrongly: in about one of 4096 cases for each invalidation of
   * a key meanwhile, and when there were more than `MOST_PURGES` purges; never no.
   */
  since(answer: Purgeable, epoch: number): boolean {
    if (this.#epoch === epoch) return false;
    if (this.#allAt > epoch || this.#forgottenAt > epoch) return true;
    if ((this.#invalidatedAt[slotOf(answer.key)] as number) > epoch) return true;
    for (let i = this.#purges.length - 1; i >= 0; i -= 1) {
      const purge = this.#purges[i] as Purge;
      if (purge.epoch <= epoch) return false;
      if (purge.means(answer)) return true;
    }
    return false;
  }
}

/** FNV-1a. Runs on misses and invalidations only. */
function slotOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return (hash ^ (hash >>> 16)) & (EPOCH_SLOTS - 1);
}
