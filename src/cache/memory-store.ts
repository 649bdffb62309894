import { Admission } from './admission.ts';
import type { CacheEntry } from './entry.ts';
import { Invalidations } from './invalidations.ts';
import { sameVary } from './key.ts';
import { hashKey, KeyIndex } from './key-index.ts';
import type { Purgeable } from './purge-scope.ts';
import { expireEntry, settleEntries } from './settle.ts';
import type { CacheStore } from './store.ts';

export interface MemoryStoreOptions {
  /** Bound on all entries together, as accounted in `CacheEntry.bytes`, which has its share of the structures around it. */
  readonly maxBytes: number;
  /** Bound on the body of one entry. */
  readonly objectBytes: number;
  /** 32 bits that clients can't know, who could otherwise choose URLs whose hashes meet. Default 0. */
  readonly seed?: number;
  /**
   * `entry` had to leave to make room; not called for what was replaced, removed or invalidated. Called when the store has come to
   * rest, so it may ask and change the store. Must not throw.
   */
  readonly evicted?: (entry: CacheEntry) => void;
  /** The store that it is a part of, where what a purge has taken is to be dropped. Default: itself. */
  readonly tierOf?: CacheStore;
}

/** Variants kept per key and partition. A `Vary: User-Agent` would otherwise turn one page into thousands of entries. */
export const MAX_VARIANTS = 16;

/**
 * Variants kept per key in all partitions: of tenants, countries, whatever a route has in its key. A lookup compares them all, 10 ns
 * each, and they lie in a row in the index, which takes nobody in who would lie far from home.
 */
export const MAX_OF_KEY = 128;

/** What a head may weigh on top of `objectBytes`; header limits keep real ones below it. */
const HEAD_ALLOWANCE_BYTES = 64 * 1024;

/**
 * The store in memory: single variants, so that evicting one leaves the others of its resource. `Admission` says which of them stay,
 * `KeyIndex` where they are.
 */
export class MemoryStore implements CacheStore {
  readonly #admission: Admission;
  readonly #index: KeyIndex;
  readonly #seed: number;
  readonly invalidations = new Invalidations();
  readonly #whole: CacheStore;
  readonly #evicted: ((entry: CacheEntry) => void) | null;
  /** Evicted by the `set` that is running, not told yet. */
  #leaving: CacheEntry[] = [];
  #evictions = 0;

  constructor(options: MemoryStoreOptions) {
    this.#evicted = options.evicted ?? null;
    this.#whole = options.tierOf ?? this;
    this.#seed = options.seed ?? 0;
    this.#index = new KeyIndex(this.#seed);
    this.#admission = new Admission({
      maxBytes: options.maxBytes,
      maxEntryBytes: options.objectBytes + HEAD_ALLOWANCE_BYTES,
      left: (entry) => this.#leave(entry),
    });
  }

  get bytes(): number {
    return this.#admission.bytes;
  }

  get entries(): number {
    return this.#admission.size;
  }

  get evictions(): number {
    return this.#evictions;
  }

  get(key: string): readonly CacheEntry[] {
    const variants = this.#index.get(key);
    if (variants.length === 0 || this.invalidations.unsettled.length === 0) return variants;
    settleEntries(this.#whole, variants);
    return this.#index.get(key);
  }

  /** The same, and what purges have taken. */
  held(key: string): readonly CacheEntry[] {
    return this.#index.get(key);
  }

  *variantLists(): Generator<readonly CacheEntry[]> {
    // Copies: entries move when others come and go.
    for (const list of this.#index.lists()) for (const entry of list) if (this.#admission.has(entry)) yield [entry];
  }

  expire(entry: CacheEntry, atMs: number): void {
    expireEntry(entry, atMs);
  }

  use(entry: CacheEntry): void {
    this.#admission.use(entry);
  }

  has(entry: CacheEntry): boolean {
    return this.#admission.has(entry);
  }

  set(entry: CacheEntry): boolean {
    const old = this.#sameVariant(entry);
    if (old === undefined) return this.#add(entry);
    // Two fetches of one resource may overtake each other: the later answer stays.
    return old.receivedAtMs <= entry.receivedAtMs && this.#exchange(old, entry);
  }

  replace(old: CacheEntry, by: CacheEntry): boolean {
    if (this.#sameVariant(by) === old) return this.#exchange(old, by);
    // What confirmed it may have brought another Vary.
    this.remove(old);
    return this.set(by);
  }

  remove(entry: CacheEntry): void {
    if (this.#admission.remove(entry)) this.#index.remove(entry);
  }

  delete(key: string): number {
    const dropped = this.get(key);
    this.invalidations.ofKey(key);
    for (const entry of dropped) this.remove(entry);
    return dropped.length;
  }

  clear(): void {
    this.invalidations.ofAll();
    this.#admission.clear();
    this.#index.clear();
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

  #add(entry: CacheEntry): boolean {
    const others = this.#index.get(entry.key);
    this.#prepare(entry);
    const stored = this.#admission.add(entry) && this.#file(entry);
    const surplus = stored && others.length >= MAX_VARIANTS ? surplusOf(others, entry.partition) : null;
    if (surplus !== null) this.remove(surplus);
    this.#tellEvicted();
    return stored;
  }

  #exchange(old: CacheEntry, by: CacheEntry): boolean {
    this.#index.remove(old);
    this.#prepare(by);
    const stored = this.#admission.replace(old, by) && this.#file(by);
    this.#tellEvicted();
    return stored;
  }

  #prepare(entry: CacheEntry): void {
    entry.hash = hashVariant(entry, this.#seed);
    if (entry.comparedAt === 0) entry.comparedAt = this.epoch;
  }

  /** Makes what was admitted findable. */
  #file(entry: CacheEntry): boolean {
    if (this.#index.add(entry)) return true;
    this.#admission.remove(entry);
    return false;
  }

  #leave(entry: CacheEntry): void {
    this.#index.remove(entry);
    this.#evictions += 1;
    if (this.#evicted !== null) this.#leaving.push(entry);
  }

  #tellEvicted(): void {
    if (this.#leaving.length === 0) return;
    const left = this.#leaving;
    // What is told may store something in turn, and so evict again.
    this.#leaving = [];
    for (const entry of left) this.#evicted?.(entry);
  }
}

/** What identifies a variant in the statistics: a page that is popular in one language need not be so in another. */
function hashVariant(entry: CacheEntry, seed: number): number {
  let hash = hashKey(entry.partition, hashKey(entry.key, seed));
  for (const { normalised } of entry.vary) hash = hashKey(normalised ?? '', hash);
  return hash;
}

/** Who has to leave for one more in `partition`; `null` for nobody. */
function surplusOf(others: readonly CacheEntry[], partition: string): CacheEntry | null {
  const mates = others.filter((other) => other.partition === partition);
  if (mates.length >= MAX_VARIANTS) return leastUsed(mates);
  return others.length >= MAX_OF_KEY ? leastUsed(others) : null;
}

/** The oldest that was not asked for lately; if there is none, the oldest. */
function leastUsed(variants: readonly CacheEntry[]): CacheEntry {
  let chosen = variants[0] as CacheEntry;
  for (const entry of variants) {
    if (entry.used === chosen.used ? entry.receivedAtMs < chosen.receivedAtMs : chosen.used) chosen = entry;
  }
  return chosen;
}
