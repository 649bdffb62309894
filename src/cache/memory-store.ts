import { LRUCache } from 'lru-cache';
import type { CacheEntry } from './entry.ts';
import { sameVary } from './key.ts';
import type { CacheStore, FillTicket } from './store.ts';

export interface MemoryStoreOptions {
  /** Bound on all entries together, as accounted in `CacheEntry.bytes`. */
  readonly maxBytes: number;
  /** Bound on the body of one entry. */
  readonly objectBytes: number;
}

/** Variants kept per key. A `Vary: User-Agent` would otherwise turn one page into thousands of entries. */
export const MAX_VARIANTS = 16;

/** What a head may weigh on top of `objectBytes`; header limits keep real ones below it. */
const HEAD_ALLOWANCE_BYTES = 64 * 1024;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

interface Ticket extends FillTicket {
  valid: boolean;
}

/**
 * The store in memory. The LRU is over single variants, keyed by the entry object itself: evicting one variant of a
 * resource leaves the others. `#variants` is only an index, and follows the LRU through `dispose`.
 */
export class MemoryStore implements CacheStore {
  readonly #lru: LRUCache<CacheEntry, CacheEntry>;
  /** Most recently used variant first; bounded by the LRU and by MAX_VARIANTS a key. */
  readonly #variants = new Map<string, CacheEntry[]>();
  /** Bounded by the exchanges under way. */
  readonly #open = new Map<string, Set<Ticket>>();

  constructor(options: MemoryStoreOptions) {
    this.#lru = new LRUCache({
      maxSize: options.maxBytes,
      maxEntrySize: Math.min(options.maxBytes, options.objectBytes + HEAD_ALLOWANCE_BYTES),
      sizeCalculation: (entry) => entry.bytes,
      dispose: (entry) => this.#forget(entry),
    });
  }

  get bytes(): number {
    return this.#lru.calculatedSize;
  }

  get entries(): number {
    return this.#lru.size;
  }

  get(key: string): readonly CacheEntry[] {
    return this.#variants.get(key) ?? noEntries;
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
    this.#lru.set(entry, entry);
    // Too big: lru-cache took nothing.
    if (!this.#lru.has(entry)) return false;
    this.#index(entry);
    return true;
  }

  remove(entry: CacheEntry): void {
    this.#lru.delete(entry);
  }

  delete(key: string): number {
    for (const ticket of this.#open.get(key) ?? []) ticket.valid = false;
    const variants = this.#variants.get(key);
    if (variants === undefined) return 0;
    // `dispose` takes each out of the list that is walked here: walk a copy.
    const dropped = variants.slice();
    for (const entry of dropped) this.#lru.delete(entry);
    return dropped.length;
  }

  clear(): void {
    for (const tickets of this.#open.values()) for (const ticket of tickets) ticket.valid = false;
    this.#lru.clear();
    this.#variants.clear();
  }

  open(key: string): FillTicket {
    const ticket: Ticket = { key, valid: true };
    const tickets = this.#open.get(key);
    if (tickets === undefined) this.#open.set(key, new Set([ticket]));
    else tickets.add(ticket);
    return ticket;
  }

  close(ticket: FillTicket): void {
    const tickets = this.#open.get(ticket.key);
    if (tickets === undefined) return;
    tickets.delete(ticket as Ticket);
    if (tickets.size === 0) this.#open.delete(ticket.key);
  }

  #sameVariant(entry: CacheEntry): CacheEntry | undefined {
    return this.#variants
      .get(entry.key)
      ?.find((other) => other.partition === entry.partition && sameVary(other.vary, entry.vary));
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

  #forget(entry: CacheEntry): void {
    const variants = this.#variants.get(entry.key);
    if (variants === undefined) return;
    const at = variants.indexOf(entry);
    if (at === -1) return;
    variants.splice(at, 1);
    if (variants.length === 0) this.#variants.delete(entry.key);
  }
}
