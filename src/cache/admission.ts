import { LRUCache } from 'lru-cache';
import type { CacheEntry } from './entry.ts';
import { FrequencySketch } from './frequency-sketch.ts';

/** What the newest entries may hold without having to earn it. With a tenth, a cache of news loses little to plain LRU, and one of classics little to less. */
const WINDOW_FRACTION = 0.1;
/** Bytes of an entry, as the sketch is sized for; it takes 0.8 % of the store at most then. Web responses have more. */
const SMALL_ENTRY_BYTES = 2048;
/** Entries that one newcomer may find in use before it has to do with the next, used or not: what bounds the time of `add`. */
const SECOND_CHANCES = 64;

export interface AdmissionOptions {
  /** Bound on `CacheEntry.bytes` of all entries together. */
  readonly maxBytes: number;
  /** Bound on one of them. */
  readonly maxEntryBytes: number;
  /** `entry` has left to make room: for another, or because it was not worth another's. Not called for one that `add` refuses. */
  readonly left: (entry: CacheEntry) => void;
}

/**
 * Which entries stay: W-TinyLFU (Einziger, Friedman and Manes, 2017), size-aware (Einziger, Eytan, Friedman and Manes, "Lightweight
 * Robust Size Aware Cache Management", 2021). Newcomers pass through a window; what leaves it stays only while there is room, or if it
 * was asked for more often than all those together that would have to go for it. So neither a scan nor one large response flushes
 * what is in use.
 *
 * Both segments are queues of lru-cache whose order is that of arrival; a hit sets a bit, and what has it set is spared once when
 * its turn comes. Moving an entry at each hit costs 1 µs when there are a million, and gains nothing (Yang and others, "FIFO can be
 * better than LRU", 2023).
 */
export class Admission {
  readonly #window: LRUCache<CacheEntry, CacheEntry>;
  readonly #main: LRUCache<CacheEntry, CacheEntry>;
  readonly #sketch: FrequencySketch;
  readonly #maxBytes: number;
  readonly #maxEntryBytes: number;
  readonly #windowBytes: number;
  readonly #left: (entry: CacheEntry) => void;
  /** There was once too little room. From then on the window's share is the window's, also while it does not fill it. */
  #isFull = false;
  /** Entries that may still be spared by what is running. */
  #chances = 0;

  constructor(options: AdmissionOptions) {
    const { maxBytes } = options;
    this.#maxBytes = maxBytes;
    this.#maxEntryBytes = Math.min(options.maxEntryBytes, maxBytes);
    this.#windowBytes = Math.floor(maxBytes * WINDOW_FRACTION);
    this.#left = options.left;
    // Each could hold everything: a cache that is not full yet has no use for a border.
    const segment = { maxSize: maxBytes, sizeCalculation: (entry: CacheEntry) => entry.bytes };
    this.#window = new LRUCache(segment);
    this.#main = new LRUCache(segment);
    this.#sketch = new FrequencySketch(maxBytes / SMALL_ENTRY_BYTES);
  }

  get bytes(): number {
    return this.#window.calculatedSize + this.#main.calculatedSize;
  }

  get size(): number {
    return this.#window.size + this.#main.size;
  }

  has(entry: CacheEntry): boolean {
    return this.#window.has(entry) || this.#main.has(entry);
  }

  /** Hot. `entry` answers a request. */
  use(entry: CacheEntry): void {
    entry.used = true;
    this.#sketch.note(entry.hash);
  }

  /** Takes in a newcomer; false when it is not worth what it needs. */
  add(entry: CacheEntry): boolean {
    this.#sketch.note(entry.hash);
    if (entry.bytes > this.#maxEntryBytes) return false;
    this.#chances = SECOND_CHANCES;
    if (entry.bytes > this.#windowBytes) {
      if (!this.#contest(entry)) return false;
    } else {
      this.#window.set(entry, entry);
      this.#narrowWindow(entry);
      this.#makeRoom();
    }
    this.#sketch.population = this.size;
    return this.has(entry);
  }

  /** Puts `by` where `old` is, whatever that is worth: it is the same response. False when `old` is not there or `by` is too large. */
  replace(old: CacheEntry, by: CacheEntry): boolean {
    if (!this.remove(old)) return false;
    this.#sketch.note(by.hash);
    if (by.bytes > this.#maxEntryBytes) return false;
    this.#chances = SECOND_CHANCES;
    by.used = true;
    this.#reserve(by.bytes);
    this.#main.set(by, by);
    return true;
  }

  remove(entry: CacheEntry): boolean {
    return this.#window.delete(entry) || this.#main.delete(entry);
  }

  clear(): void {
    this.#window.clear();
    this.#main.clear();
    this.#isFull = false;
  }

  /** What is too much for the window has to earn its place. `newcomer` is told of by the result of `add`. */
  #narrowWindow(newcomer: CacheEntry): void {
    while (this.#window.calculatedSize > this.#windowBytes) {
      const oldest = this.#window.pop();
      if (oldest === undefined) return;
      if (this.#isSpared(oldest)) this.#window.set(oldest, oldest);
      else if (!this.#contest(oldest) && oldest !== newcomer) this.#left(oldest);
    }
  }

  /** The main segment had grown while the window was not full. */
  #makeRoom(): void {
    while (this.bytes > this.#maxBytes) {
      this.#isFull = true;
      const victim = this.#nextVictim();
      if (victim === undefined) return;
      this.#left(victim);
    }
  }

  /** Frees `bytes`, which are not more than there are. */
  #reserve(bytes: number): void {
    while (this.bytes + bytes > this.#maxBytes) {
      const victim = this.#nextVictim() ?? this.#window.pop();
      if (victim === undefined) return;
      this.#left(victim);
    }
  }

  /** Takes `candidate`, which is in neither segment, into the main one, if there is room or if it is worth what has to go. */
  #contest(candidate: CacheEntry): boolean {
    let missing = this.#main.calculatedSize + candidate.bytes - this.#mainBytesFor(candidate);
    if (missing > 0) this.#isFull = true;
    let lead = this.#sketch.frequency(candidate.hash);
    const victims: CacheEntry[] = [];
    while (missing > 0) {
      const victim = this.#nextVictim();
      if (victim === undefined) break;
      victims.push(victim);
      missing -= victim.bytes;
      lead -= this.#sketch.frequency(victim.hash);
      if (lead <= 0) break;
    }
    const isWorth = missing <= 0 && (lead > 0 || victims.length === 0);
    for (const victim of victims) {
      if (isWorth) this.#left(victim);
      else this.#main.set(victim, victim);
    }
    if (isWorth) this.#main.set(candidate, candidate);
    return isWorth;
  }

  /** What does not fit into the window leaves it nothing, but what is there. */
  #mainBytesFor(candidate: CacheEntry): number {
    const isForWindow = candidate.bytes <= this.#windowBytes;
    return this.#maxBytes - (this.#isFull && isForWindow ? this.#windowBytes : this.#window.calculatedSize);
  }

  /** Takes out the oldest entry of the main segment that is not spared. */
  #nextVictim(): CacheEntry | undefined {
    for (;;) {
      const oldest = this.#main.pop();
      if (oldest === undefined || !this.#isSpared(oldest)) return oldest;
      this.#main.set(oldest, oldest);
    }
  }

  #isSpared(entry: CacheEntry): boolean {
    if (!entry.used || this.#chances === 0) return false;
    this.#chances -= 1;
    entry.used = false;
    return true;
  }
}
