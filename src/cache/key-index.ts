import type { CacheEntry } from './entry.ts';

// Hot: one `get` a request. Benchmark: bench/cache.ts.

const FIRST_SLOTS = 64;

/**
 * A newcomer that would lie this far from where its hash belongs is not taken in. Half of the slots are empty, and so a hundred in a
 * row that are not are unheard of, unless somebody chooses keys for their hashes; then that is all they achieve.
 */
const MAX_DISTANCE = 256;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

/**
 * Finds entries by their primary key. A table with open addressing (Knuth, TAOCP 3, §6.4, algorithm L and R), the hashes apart from
 * the entries: a key that is not there costs one access to memory, one that is there three; a `Map` keeps no hashes and follows
 * pointers to compare, which takes twice as long with a million entries. 24 to 48 bytes an entry.
 */
export class KeyIndex {
  readonly #seed: number;
  /** 0 for an empty slot. */
  #hashes = new Int32Array(FIRST_SLOTS);
  #entries: (CacheEntry | null)[] = emptySlots(FIRST_SLOTS);
  #mask = FIRST_SLOTS - 1;
  #size = 0;

  /** `seed`: 32 bits that nobody outside knows, so that nobody can choose keys for their hashes. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** All entries of `key`, in no order: a list that is the caller's. */
  get(key: string): readonly CacheEntry[] {
    const hash = hashKey(key, this.#seed);
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
  add(entry: CacheEntry): boolean {
    if (this.#size * 2 >= this.#entries.length) this.#grow();
    const hash = hashKey(entry.key, this.#seed);
    const at = this.#emptyFor(hash);
    if (((at - hash) & this.#mask) > MAX_DISTANCE) return false;
    this.#hashes[at] = hash;
    this.#entries[at] = entry;
    this.#size += 1;
    return true;
  }

  remove(entry: CacheEntry): boolean {
    let at = hashKey(entry.key, this.#seed) & this.#mask;
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

  /** What there is now, in no order: a list that is the caller's. 5 ms for a million. */
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

  /** 20 ms for a million entries, and as often as their number doubles: no key has to be read. */
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

/**
 * 32 bits, never 0, of `text` after what `hash` has taken in. Four characters at a time, after FNV-1a, then the finaliser of
 * MurmurHash3, so that each bit of it may be used alone: 0.1 µs for a hundred characters.
 */
export function hashKey(text: string, hash: number): number {
  let h = hash;
  let i = 0;
  for (; i + 3 < text.length; i += 4) {
    const four =
      text.charCodeAt(i) |
      (text.charCodeAt(i + 1) << 8) |
      (text.charCodeAt(i + 2) << 16) |
      (text.charCodeAt(i + 3) << 24);
    h = Math.imul(h ^ four, 0x01000193);
    h ^= h >>> 15;
  }
  for (; i < text.length; i += 1) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  h ^= h >>> 16;
  return h === 0 ? 1 : h;
}
