import { LRUCache } from 'lru-cache';
import { type CacheEntry, withBody } from '../../cache/entry.ts';
import { sameVary } from '../../cache/key.ts';
import { MAX_VARIANTS } from '../../cache/memory-store.ts';
import type { FileLayout } from './format.ts';

/** One response on disk. */
export interface DiskRecord {
  readonly layout: FileLayout;
  /** As it is served. Replaced when its head is. */
  entry: CacheEntry;
  fileBytes: number;
  headBytes: number;
}

export interface IndexBounds {
  readonly fileBytes: number;
  readonly headBytes: number;
}

/** The records of one key; the lists run in parallel. */
interface Variants {
  readonly entries: CacheEntry[];
  readonly records: DiskRecord[];
}

/** What a record and its places in the maps weigh beside its head: reckoned from their fields, and rounded up. */
const RECORD_BYTES = 700;

const noEntries: readonly CacheEntry[] = Object.freeze([]);

/**
 * What is on disk, least recently used first. Bounded by the bytes of the files, by those of the heads, which are in memory, and by
 * `MAX_VARIANTS` a key. `evicted` hears of those that had to leave.
 */
export class DiskIndex {
  readonly #bounds: IndexBounds;
  readonly #evicted: (record: DiskRecord) => void;
  readonly #lru: LRUCache<string, DiskRecord>;
  readonly #variants = new Map<string, Variants>();
  #headBytes = 0;

  constructor(bounds: IndexBounds, evicted: (record: DiskRecord) => void) {
    this.#bounds = bounds;
    this.#evicted = evicted;
    this.#lru = new LRUCache({
      maxSize: bounds.fileBytes,
      sizeCalculation: ({ fileBytes }) => fileBytes,
      dispose: (record, _id, reason) => {
        this.#forget(record);
        if (reason === 'evict') this.#evicted(record);
      },
    });
  }

  get count(): number {
    return this.#lru.size;
  }

  get fileBytes(): number {
    return this.#lru.calculatedSize;
  }

  get headBytes(): number {
    return this.#headBytes;
  }

  get(key: string): readonly CacheEntry[] {
    return this.#variants.get(key)?.entries ?? noEntries;
  }

  byId(id: string): DiskRecord | undefined {
    return this.#lru.peek(id);
  }

  *entries(): Iterable<CacheEntry> {
    for (const { entry } of this.#lru.values()) yield entry;
  }

  recordOf(entry: CacheEntry): DiskRecord | null {
    const variants = this.#variants.get(entry.key);
    return variants?.records[variants.entries.indexOf(entry)] ?? null;
  }

  /** The record of the same variant; there is one at most. */
  variantOf({ key, partition, vary }: CacheEntry): DiskRecord | null {
    const records = this.#variants.get(key)?.records ?? [];
    return records.find(({ entry }) => entry.partition === partition && sameVary(entry.vary, vary)) ?? null;
  }

  touch({ layout }: DiskRecord): void {
    this.#lru.get(layout.id);
  }

  /** Makes room and takes `record` in, as the one used last. False when it is larger than all the room there is. */
  add(record: DiskRecord): boolean {
    if (record.fileBytes > this.#bounds.fileBytes || record.headBytes > this.#bounds.headBytes) return false;
    this.#lru.set(record.layout.id, record);
    const variants = this.#variants.get(record.entry.key) ?? { entries: [], records: [] };
    this.#variants.set(record.entry.key, variants);
    variants.entries.unshift(record.entry);
    variants.records.unshift(record);
    this.#headBytes += record.headBytes;
    const last = variants.records[MAX_VARIANTS];
    if (last !== undefined) this.#evict(last);
    this.#keepToHeads();
    return true;
  }

  /** `record` has another head from now on. */
  renew(record: DiskRecord, entry: CacheEntry): CacheEntry {
    const { body } = record.entry;
    const renewed = entry.body === body ? entry : withBody(entry, body);
    const variants = this.#variants.get(entry.key);
    const at = variants?.records.indexOf(record) ?? -1;
    if (variants === undefined || at === -1) return renewed;
    variants.entries[at] = renewed;
    const headBytes = headBytesOf(renewed);
    this.#headBytes += headBytes - record.headBytes;
    record.headBytes = headBytes;
    record.entry = renewed;
    this.#keepToHeads();
    return renewed;
  }

  delete({ layout }: DiskRecord): boolean {
    return this.#lru.delete(layout.id);
  }

  ofKey(key: string): readonly DiskRecord[] {
    return this.#variants.get(key)?.records.slice() ?? [];
  }

  clear(): void {
    this.#lru.clear();
  }

  #keepToHeads(): void {
    while (this.#headBytes > this.#bounds.headBytes) {
      const record = this.#lru.pop();
      if (record === undefined) return;
    }
  }

  #evict(record: DiskRecord): void {
    this.#lru.delete(record.layout.id);
    this.#evicted(record);
  }

  #forget(record: DiskRecord): void {
    this.#headBytes -= record.headBytes;
    const variants = this.#variants.get(record.entry.key);
    const at = variants?.records.indexOf(record) ?? -1;
    if (variants === undefined || at === -1) return;
    variants.entries.splice(at, 1);
    variants.records.splice(at, 1);
    if (variants.records.length === 0) this.#variants.delete(record.entry.key);
  }
}

/** Memory that the head of a response on disk takes. */
export function headBytesOf(entry: CacheEntry): number {
  return entry.bytes + RECORD_BYTES;
}
