import type { BodySource } from '../exchange/body.ts';
import type { CacheEntry } from './entry.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

/**
 * Where responses live that memory has no room for, or that shall outlive the process: the heads of its entries are in memory, so
 * that everything but the bytes of a body is known at once; bodies are `DistantBody`s. Synchronous, and never throws: what
 * takes time happens behind it, and what fails is a response that is not there.
 */
export interface SecondTier {
  /** Entries, with those that are still on their way there. */
  readonly entries: number;
  /** Every variant of `key` that can be read, in no order. The list is the tier's own and valid until its next change. */
  get(key: string): readonly CacheEntry[];
  /** True while `entry` itself, with its distant body, is there. */
  has(entry: CacheEntry): boolean;
  /** `entry` was chosen to answer a request. */
  use(entry: CacheEntry): void;
  /**
   * A complete response that is worth keeping, in place of the same variant. It may be declined. One that is there already, with
   * the same time of receipt, only becomes the one used last.
   */
  offer(entry: CacheEntry): void;
  /** `entry` is `old` with another head: what is there of `old`, or still under way, gets it. Returns what `get` gives from now on, or `null` for nothing. */
  renew(old: CacheEntry, entry: CacheEntry): CacheEntry | null;
  /** Drops the same variant, unless it is a later answer. */
  remove(entry: CacheEntry): void;
  delete(key: string): void;
  clear(): void;
  /** Those that can be read; the tier may change meanwhile. */
  all(): Iterable<CacheEntry>;
  /** Told once, before anything else is asked. */
  connect(owner: TierOwner): void;
}

/** The store that a tier belongs to. */
export interface TierOwner {
  readonly epoch: number;
  /** Was `entry` invalidated after `epoch`? May say yes wrongly, never no. */
  invalidatedSince(entry: CacheEntry, epoch: number): boolean;
  /** May `entry`, found from an earlier life of the gateway, be served? Not if it was invalidated or replaced meanwhile. */
  mayAdopt(entry: CacheEntry): boolean;
  /** Complete responses in memory that were not offered. The store may change meanwhile. */
  unwritten(): Iterable<CacheEntry>;
  /** The whole body of `entry`, which `has`, was read and is in memory now, owned by nobody else. */
  fetched(entry: CacheEntry, chunks: readonly Uint8Array[]): void;
}

/** A body whose bytes have to be fetched. `read` does that too, but its failure can only cut the response short. */
export interface DistantBody extends StoredBody {
  /**
   * Fetches and checks the first bytes of `span`, then calls `done`: with a reader, which must be piped or discarded; or with
   * `null` when they can't be had, because the bytes are not what was stored, and then the entry is not in the store any more, or
   * because too much is being fetched. `done` is called once, later, unless cancelled; it must not throw.
   */
  open(span: ByteSpan | null, done: (reader: BodySource | null) => void): Opening;
}

export interface Opening {
  /** Nobody waits any more. Idempotent; `done` is not called after it. */
  cancel(): void;
}

/** Asked only of bodies that are not at hand. */
export function isDistant(body: StoredBody): body is DistantBody {
  return 'open' in body;
}
