import { LRUCache } from 'lru-cache';
import type { CacheEntry } from './entry.ts';
import { Invalidations } from './invalidations.ts';
import { sameVary } from './key.ts';
import type { Purgeable } from './purge-scope.ts';
import { expireEntry, settleEntries } from './settle.ts';
import type { CacheStore } from './store.ts';

export interface MemoryStoreOptions {
  /** Bound on all entries together, as accounted in `CacheEntry.bytes`. */
  readonly maxBytes: number;
  /** Bound on the body of one entry. */
  readonly objectBytes: number;
  /**
   * `entry` had to leave to make room; not called for what was replaced, removed or invalidated. Called when the store has come to
   * rest, so it may ask and change the store. Must not throw.
   */
  readonly evicted?: (entry: CacheEntry) => void;
  /** The store that it is a part of, where what a purge has taken is to be dropped. Default: itself. */
  readonly tierOf?: CacheStore;
}

/** Variants kept per key. A `Vary: User-Agent` would otherwise turn one page into thousands of entries. */
export const MAX_VARIANTS = 16;

/** What a head may weigh on top of `objectBytes`; header limits keep real ones below it. */
const HEAD_ALLOWANCE_BYTES = 64 * 1024;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

/**
 * The store in memory. The LRU is over single variants, keyed by the entry object itself: evicting one variant of a
 * resource leaves the others. `#variants` is only an index, and follows the LRU through `dispose`.
 */
export class MemoryStore implements CacheStore {
  readonly #lru: LRUCache<CacheEntry, CacheEntry>;
  /** Most recently used variant first; bounded by the LRU and by MAX_VARIANTS a key. */
  readonly #variants = new Map<string, CacheEntry[]>();
  readonly invalidations = new Invalidations();
  readonly #whole: CacheStore;
  readonly #evicted: ((entry: CacheEntry) => void) | null;
  /** Evicted by the `set` that is running, not told yet. */
  #leaving: CacheEntry[] = [];

  constructor(options: MemoryStoreOptions) {
    this.#evicted = options.evicted ?? null;
    this.#whole = options.tierOf ?? this;
    this.#lru = new LRUCache({
      maxSize: options.maxBytes,
      maxEntrySize: Math.min(options.maxBytes, options.objectBytes + HEAD_ALLOWANCE_BYTES),
      sizeCalculation: (entry) => entry.bytes,
      dispose: (entry, _key, reason) => this.#forget(entry, reason === 'evict'),
    });
  }

  get bytes(): number {
    return this.#lru.calculatedSize;
  }

  get entries(): number {
    return this.#lru.size;
  }

  get(key: string): readonly CacheEntry[] {
    const variants = this.#variants.get(key);
    if (variants === undefined) return noEntries;
    if (this.invalidations.unsettled.length > 0) settleEntries(this.#whole, variants);
    return variants;
  }

  /** The same, and what purges have taken. */
  held(key: string): readonly CacheEntry[] {
    return this.#variants.get(key) ?? noEntries;
  }

  /** A map goes on with what is added meanwhile: never more of them than there were. */
  *variantLists(): Generator<readonly CacheEntry[]> {
    let left = this.#variants.size;
    for (const variants of this.#variants.values()) {
      if (left === 0) return;
      left -= 1;
      yield variants;
    }
  }

  expire(entry: CacheEntry, atMs: number): void {
    expireEntry(entry, atMs);
  }

  use(entry: CacheEntry): void {
    if (this.#lru.get(entry) === undefined) return;
    const variants = this.#variants.get(entry.key);
    if (variants === undefined || variants[0] === entry) return;
    variants.splice(variants.indexOf(entry), 1);
    variants.unshift(entry);
  }

  has(entry: CacheEntry): boolean {
    return this.#lru.has(entry);
  }

  set(entry: CacheEntry): boolean {
    const old = this.#sameVariant(entry);
    // Two fetches of one resource may overtake each other: the later answer stays.
    if (old !== undefined && old.receivedAtMs > entry.receivedAtMs) return false;
    if (old !== undefined) this.#lru.delete(old);
    if (entry.comparedAt === 0) entry.comparedAt = this.epoch;
    this.#lru.set(entry, entry);
    // Too big: lru-cache took nothing.
    if (!this.#lru.has(entry)) return false;
    this.#index(entry);
    if (this.#leaving.length > 0) this.#tellEvicted();
    return true;
  }

  replace(old: CacheEntry, by: CacheEntry): boolean {
    this.#lru.delete(old);
    return this.set(by);
  }

  remove(entry: CacheEntry): void {
    this.#lru.delete(entry);
  }

  delete(key: string): number {
    // `dispose` takes each out of the list that is walked here: walk a copy.
    const dropped = this.get(key).slice();
    this.invalidations.ofKey(key);
    for (const entry of dropped) this.#lru.delete(entry);
    return dropped.length;
  }

  clear(): void {
    this.invalidations.ofAll();
    this.#lru.clear();
  }

  get epoch(): number {
    return this.invalidations.epoch;
  }

  invalidatedSince(answer: Purgeable, epoch: number): boolean {
    return this.invalidations.since(answer, epoch);
  }

  #sameVariant(entry: CacheEntry): CacheEntry | undefined {
    return this.get(entry.key).find((other) => other.partition === entry.partition && sameVary(other.vary, entry.vary));
  }

  #index(entry: CacheEntry): void {
    const variants = this.#variants.get(entry.key);
    if (variants === undefined) {
      this.#variants.set(entry.key, [entry]);
      return;
    }
    variants.unshift(entry);
    const last = variants[MAX_VARIANTS];
    if (last !== undefined) this.#lru.delete(last);
  }

  #tellEvicted(): void {
    const left = this.#leaving;
    // What is told may store something in turn, and so evict again.
    this.#leaving = [];
    for (const entry of left) this.#evicted?.(entry);
  }

  #forget(entry: CacheEntry, evicted: boolean): void {
    if (evicted && this.#evicted !== null) this.#leaving.push(entry);
    const variants = this.#variants.get(entry.key);
    const at = variants === undefined ? -1 : variants.indexOf(entry);
    if (variants === undefined || at === -1) return;
    variants.splice(at, 1);
    if (variants.length === 0) this.#variants.delete(entry.key);
  }
}
