import { type CacheEntry, withBody } from './entry.ts';
import type { Invalidations } from './invalidations.ts';
import { sameVary } from './key.ts';
import { MemoryBody } from './memory-body.ts';
import { MemoryStore, type MemoryStoreOptions } from './memory-store.ts';
import type { Purgeable } from './purge-scope.ts';
import { Recurrence } from './recurrence.ts';
import { isDistant, type SecondTier, type TierOwner } from './second-tier.ts';
import { expireEntry, isTaken, settleEntries } from './settle.ts';
import type { CacheStore } from './store.ts';

/**
 * A store of two tiers: what is in memory is served from there, what is not from the other. A response goes down when it has shown
 * that it is asked for again: at its first hit, when its key was fetched before, or, should that have failed, when memory has to
 * let it go. What is asked for once, most of what there is, is never written (Maggs and Sitaraman, "Algorithmic Nuggets in
 * Content Delivery", 2015, §3). A body that was read whole comes up again, if memory wants it.
 */
export class TieredStore implements CacheStore, TierOwner {
  readonly #near: MemoryStore;
  readonly #far: SecondTier;
  readonly #recurrence = new Recurrence();

  constructor(options: MemoryStoreOptions, far: SecondTier) {
    this.#near = new MemoryStore({ ...options, evicted: (entry) => this.#evicted(entry), tierOf: this });
    this.#far = far;
    far.connect(this);
  }

  /** Of what is in memory with its body; the other tier bounds its heads itself. */
  get bytes(): number {
    return this.#near.bytes;
  }

  /** What is in both tiers counts twice. */
  get entries(): number {
    return this.#near.entries + this.#far.entries;
  }

  /** From memory; most of them are in the other tier then. */
  get evictions(): number {
    return this.#near.evictions;
  }

  /** Hot: allocates only where a key has variants in both tiers and they are not the same. */
  get(key: string): readonly CacheEntry[] {
    // A copy: those that a purge has taken leave the tier's list. What is in memory is compared on our behalf.
    if (this.invalidations.unsettled.length > 0) settleEntries(this, this.#far.get(key).slice());
    const near = this.#near.get(key);
    const far = this.#far.get(key);
    if (far.length === 0) return near;
    if (near.length === 0) return far;
    const others = far.filter((entry) => !hasVariant(near, entry));
    return others.length === 0 ? near : [...near, ...others];
  }

  use(entry: CacheEntry): void {
    // What is in memory costs one look.
    if (entry.body.chunks === null && this.#far.has(entry)) {
      this.#far.use(entry);
      return;
    }
    this.#near.use(entry);
    if (!entry.offered) this.#offer(entry);
  }

  has(entry: CacheEntry): boolean {
    return this.#near.has(entry) || this.#far.has(entry);
  }

  set(entry: CacheEntry): boolean {
    const isKept = this.#far.get(entry.key).find((other) => sameVariant(other, entry));
    if (isKept !== undefined && isKept.receivedAtMs > entry.receivedAtMs) return false;
    const wasAsked = this.#recurrence.seen(entry.key);
    // Older than this one, or this one's own body, which `replace` is for.
    this.#far.remove(entry);
    const stored = this.#near.set(entry);
    if (wasAsked) this.#offer(entry);
    return stored;
  }

  replace(old: CacheEntry, by: CacheEntry): boolean {
    const renewed = this.#far.renew(old, by);
    if (isDistant(old.body)) {
      this.#dropTwin(old);
      return renewed !== null;
    }
    // What was confirmed was asked for again.
    if (old.offered) by.offered = true;
    else this.#offer(by);
    return this.#near.replace(old, by) || renewed !== null;
  }

  expire(entry: CacheEntry, atMs: number): void {
    expireEntry(entry, atMs);
    const { epoch } = this;
    // Twins are one answer, found once.
    for (const twin of this.#near.held(entry.key)) {
      if (twin === entry || !isSameAnswer(twin, entry)) continue;
      expireEntry(twin, atMs);
      twin.comparedAt = epoch;
    }
    this.#far.renew(entry, { ...entry, comparedAt: epoch });
  }

  *variantLists(): Generator<readonly CacheEntry[]> {
    yield* this.#near.variantLists();
    for (const entry of this.#far.all()) {
      if (!hasVariant(this.#near.held(entry.key), entry)) yield [entry];
    }
  }

  remove(entry: CacheEntry): void {
    this.#near.remove(entry);
    this.#dropTwin(entry);
    this.#far.remove(entry);
  }

  delete(key: string): number {
    const count = this.get(key).length;
    this.#near.delete(key);
    this.#far.delete(key);
    return count;
  }

  clear(): void {
    this.#near.clear();
    this.#far.clear();
  }

  get invalidations(): Invalidations {
    return this.#near.invalidations;
  }

  get epoch(): number {
    return this.#near.epoch;
  }

  invalidatedSince(answer: Purgeable, epoch: number): boolean {
    return this.#near.invalidatedSince(answer, epoch);
  }

  mayAdopt(entry: CacheEntry): boolean {
    if (this.#near.invalidatedSince(entry, 0)) return false;
    const { receivedAtMs } = entry;
    return !this.get(entry.key).some((other) => sameVariant(other, entry) && other.receivedAtMs >= receivedAtMs);
  }

  *unwritten(): Generator<CacheEntry> {
    const lists = this.#near.variantLists();
    for (const variants of lists) {
      for (const entry of variants.slice()) {
        const isComplete = entry.body.chunks !== null && entry.parts === null;
        if (isComplete && !entry.offered && !isTaken(this.invalidations, entry)) yield entry;
      }
    }
  }

  fetched(entry: CacheEntry, chunks: readonly Uint8Array[]): void {
    // A purge that has taken it meanwhile shows when it is looked up.
    if (!this.get(entry.key).includes(entry) || hasVariant(this.#near.held(entry.key), entry)) return;
    const copy = withBody(entry, new MemoryBody(chunks));
    copy.offered = true;
    this.#near.set(copy);
  }

  /** The copy in memory of an answer from the other tier, which was read whole since. */
  #dropTwin(entry: CacheEntry): void {
    const twin = this.#near.held(entry.key).find((other) => isSameAnswer(other, entry));
    if (twin !== undefined) this.#near.remove(twin);
  }

  #evicted(entry: CacheEntry): void {
    if (isTaken(this.invalidations, entry)) return;
    if (entry.offered) this.#far.offer(entry);
  }

  #offer(entry: CacheEntry): void {
    // Not all of it is here yet, or ever will be; the next use asks again.
    if (entry.body.chunks === null || entry.parts !== null) return;
    entry.offered = true;
    this.#far.offer(entry);
  }
}

function hasVariant(entries: readonly CacheEntry[], entry: CacheEntry): boolean {
  for (const other of entries) if (sameVariant(other, entry)) return true;
  return false;
}

function sameVariant(a: CacheEntry, b: CacheEntry): boolean {
  return a.partition === b.partition && sameVary(a.vary, b.vary);
}

function isSameAnswer(a: CacheEntry, b: CacheEntry): boolean {
  return a.receivedAtMs === b.receivedAtMs && sameVariant(a, b);
}
