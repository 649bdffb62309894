import type { CacheEntry } from './entry.ts';
import { KeyTable } from './key-table.ts';

// Hot: one `get` a request. Benchmark: bench/cache.ts.

/** A power of two. Each table grows by itself, so that no request waits for all of them: with a million entries, 0.2 s otherwise. */
const TABLES = 256;
/** The bits of a hash that choose the table; within it, the others count. */
const TABLE_SHIFT = 24;

/**
 * Finds entries by their primary key. A `Map` keeps no hashes and follows pointers to compare, which takes twice as long with a
 * million entries, and moves all of them at once when it grows.
 */
export class KeyIndex {
  readonly #seed: number;
  readonly #tables: readonly KeyTable[] = Array.from({ length: TABLES }, () => new KeyTable());

  /** `seed`: 32 bits that nobody outside knows, so that nobody can choose keys for their hashes. */
  constructor(seed: number) {
    this.#seed = seed | 0;
  }

  /** All entries of `key`, in no order: a list that is the caller's. */
  get(key: string): readonly CacheEntry[] {
    const hash = hashKey(key, this.#seed);
    return this.#tableOf(hash).get(key, hash);
  }

  /** False when there is no slot near enough. */
  add(entry: CacheEntry): boolean {
    const hash = hashKey(entry.key, this.#seed);
    return this.#tableOf(hash).add(entry, hash);
  }

  remove(entry: CacheEntry): boolean {
    const hash = hashKey(entry.key, this.#seed);
    return this.#tableOf(hash).remove(entry, hash);
  }

  /** What there is now, in no order: lists that are the caller's, one at a time. What is in the next one is what there will be then. */
  *lists(): Generator<readonly CacheEntry[]> {
    for (const table of this.#tables) yield table.all();
  }

  clear(): void {
    for (const table of this.#tables) table.clear();
  }

  #tableOf(hash: number): KeyTable {
    return this.#tables[hash >>> TABLE_SHIFT] as KeyTable;
  }
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
