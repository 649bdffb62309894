import type { CacheEntry } from './entry.ts';

// Hot: one `get` a request. Benchmark: bench/cache.ts.

const FIRST_SLOTS = 8;

/**
 * A newcomer that would lie this far from where its hash belongs is not taken in. Half of the slots are empty, and so a hundred in a
 * row that are not are unheard of, unless somebody chooses keys for their hashes; then that is all they achieve.
 */
const MAX_DISTANCE = 256;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

/**
 * Entries by the hash of their primary key: open addressing (Knuth, TAOCP 3, §6.4, algorithms L and R), the hashes apart from the
 * entries, so that a key that is not there costs one access to memory, and one that is there three. 24 to 48 bytes an entry.
 */
export class KeyTable {
  /** 0 for an empty slot. */
  #hashes = new Int32Array(FIRST_SLOTS);
  #entries: (CacheEntry | null)[] = emptySlots(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  #size = 0;

  /** All entries of `key`, in no order: a list that is the caller's. */
  get(key: string, hash: number): readonly CacheEntry[] {
    const hashes = this.#hashes;
    let found: CacheEntry[] | null = null;
    let at = hash & this.#mask;
    for (let there = hashes[at]; there !== 0; there = hashes[at]) {
      if (there === hash) {
        const entry = this.#entries[at] as CacheEntry;
        if (entry.key === key) {
          if (found === null) found = [entry];
          else found.push(entry);
        }
      }
      at = (at + 1) & this.#mask;
    }
    return found ?? noEntries;
  }

  /** False when there is no slot near enough. */
  add(entry: CacheEntry, hash: number): boolean {
    if (this.#size * 2 >= this.#entries.length) this.#grow();
    const at = this.#emptyFor(hash);
    if (((at - hash) & this.#mask) > MAX_DISTANCE) return false;
    this.#hashes[at] = hash;
    this.#entries[at] = entry;
    this.#size += 1;
    return true;
  }

  remove(entry: CacheEntry, hash: number): boolean {
    let at = hash & this.#mask;
    while (this.#hashes[at] !== 0) {
      if (this.#entries[at] === entry) {
        this.#free(at);
        this.#size -= 1;
        return true;
      }
      at = (at + 1) & this.#mask;
    }
    return false;
  }

  /** What there is now, in no order: a list that is the caller's. */
  all(): readonly CacheEntry[] {
    return this.#entries.filter((entry) => entry !== null);
  }

  clear(): void {
    this.#hashes = new Int32Array(FIRST_SLOTS);
    this.#entries = emptySlots(FIRST_SLOTS);
    this.#mask = FIRST_SLOTS - 1;
    this.#size = 0;
  }

  #emptyFor(hash: number): number {
    let at = hash & this.#mask;
    while (this.#hashes[at] !== 0) at = (at + 1) & this.#mask;
    return at;
  }

  /** No key has to be read. */
  #grow(): void {
    const hashes = this.#hashes;
    const entries = this.#entries;
    const slots = entries.length * 2;
    this.#hashes = new Int32Array(slots);
    this.#entries = emptySlots(slots);
    this.#mask = slots - 1;
    for (let i = 0; i < hashes.length; i += 1) {
      const hash = hashes[i] as number;
      if (hash === 0) continue;
      const at = this.#emptyFor(hash);
      this.#hashes[at] = hash;
      this.#entries[at] = entries[i] as CacheEntry;
    }
  }

  /** Empties a slot, and moves up what lies behind it only because it was full (algorithm R). */
  #free(slot: number): void {
    const hashes = this.#hashes;
    let hole = slot;
    let at = (slot + 1) & this.#mask;
    while (hashes[at] !== 0) {
      const home = (hashes[at] as number) & this.#mask;
      // Could it lie in the hole? Not if its home is between the hole and where it is.
      if (((at - home) & this.#mask) >= ((at - hole) & this.#mask)) {
        hashes[hole] = hashes[at] as number;
        this.#entries[hole] = this.#entries[at] as CacheEntry;
        hole = at;
      }
      at = (at + 1) & this.#mask;
    }
    hashes[hole] = 0;
    this.#entries[hole] = null;
  }
}

function emptySlots(count: number): (CacheEntry | null)[] {
  return new Array<CacheEntry | null>(count).fill(null);
}
