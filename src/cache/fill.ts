import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader, type HeaderList } from '../http/headers.ts';
import { makeEntry } from './entry.ts';
import type { ExchangeTimes } from './freshness.ts';
import type { CacheRequest } from './key.ts';
import { MemoryBody } from './memory-body.ts';
import type { Storable } from './storability.ts';
import type { CacheStore } from './store.ts';

/** One response on its way into the store. */
export interface FillPlan {
  readonly store: CacheStore;
  readonly request: CacheRequest;
  /** As the endpoint sent it, before any edit of ours. */
  readonly head: ResponseHead;
  /** What `storability` said of `head`. */
  readonly verdict: Storable;
  readonly times: ExchangeTimes;
  /** The store's epoch when the request was looked up, before it was sent: `Lookup.epoch`. */
  readonly epoch: number;
  /** A body above this is dropped, whatever it announced. */
  readonly objectBytes: number;
}

/**
 * What became of a fill. `invalidated`: an unsafe request or a purge came between request and end (RFC 9111 §4.4).
 * `refused`: the store has a later answer, or no room for one like this.
 */
export type FillEnd = 'stored' | 'too-large' | 'incomplete' | 'invalidated' | 'aborted' | 'refused';

const FIRST_SEGMENT_BYTES = 4 * 1024;
const SEGMENT_BYTES = 64 * 1024;

/**
 * Copies one response body and stores it when it turns out complete (RFC 9111 §3.3). Feed it `data* (end | abort)`.
 * Trailers are not stored (RFC 9110 §6.5.1 allows to discard them).
 *
 * Hot on a miss. The bytes are copied into segments of up to 64 KiB: a transport's chunks are often slices of a pooled
 * buffer, so that keeping a slice would keep the whole, and a body sent byte by byte would cost 400 times its size.
 * Memory while it runs is at most `objectBytes` and one segment.
 */
export class Fill {
  readonly #plan: FillPlan;
  readonly #announcedBytes: number | null;
  #segments: Uint8Array[] = [];
  /** The last segment, partly used; `null` before the first byte. */
  #open: Uint8Array | null = null;
  #used = 0;
  #receivedBytes = 0;
  #end: FillEnd | null = null;

  constructor(plan: FillPlan) {
    this.#plan = plan;
    this.#announcedBytes = announcedLength(plan.head.headers);
  }

  /** `null` while it runs. */
  get result(): FillEnd | null {
    return this.#end;
  }

  /** Copies `chunk`; it may be reused afterwards. */
  data(chunk: Uint8Array): void {
    if (this.#end !== null) return;
    this.#receivedBytes += chunk.byteLength;
    if (this.#receivedBytes > this.#plan.objectBytes) {
      this.#finish('too-large');
      return;
    }
    // More than announced is as wrong as less (RFC 9112 §8), and there is no segment for it.
    if (this.#announcedBytes !== null && this.#receivedBytes > this.#announcedBytes) {
      this.#finish('incomplete');
      return;
    }
    let from = 0;
    while (from < chunk.byteLength) from += this.#copy(chunk, from);
  }

  /** The body ended cleanly: stores it, if it is as long as it said. */
  end(_trailers: HeaderList | null): FillEnd {
    if (this.#end !== null) return this.#end;
    if (this.#announcedBytes !== null && this.#announcedBytes !== this.#receivedBytes)
      return this.#finish('incomplete');
    const { store, request, head, verdict, times, epoch } = this.#plan;
    const entry = makeEntry({ request, head, verdict, times, body: new MemoryBody(this.#chunks()) });
    if (store.invalidatedSince(entry.key, epoch)) return this.#finish('invalidated');
    return this.#finish(store.set(entry) ? 'stored' : 'refused');
  }

  /** The body was cut short, or nobody wants to wait for the rest. */
  abort(): void {
    if (this.#end === null) this.#finish('aborted');
  }

  #finish(end: FillEnd): FillEnd {
    this.#end = end;
    this.#segments = [];
    this.#open = null;
    return end;
  }

  #copy(chunk: Uint8Array, from: number): number {
    let open = this.#open;
    if (open === null || this.#used === open.byteLength) {
      open = Buffer.allocUnsafeSlow(this.#nextSegmentBytes(chunk.byteLength - from));
      this.#open = open;
      this.#used = 0;
      this.#segments.push(open);
    }
    const count = Math.min(chunk.byteLength - from, open.byteLength - this.#used);
    open.set(from === 0 && count === chunk.byteLength ? chunk : chunk.subarray(from, from + count), this.#used);
    this.#used += count;
    return count;
  }

  /**
   * Exactly what is left of an announced body, but never more than one segment ahead of what has arrived: an endpoint
   * that announces much and sends nothing costs little. Unannounced bodies grow from 4 KiB.
   */
  #nextSegmentBytes(atHand: number): number {
    if (this.#announcedBytes !== null) {
      const before = this.#receivedBytes - atHand;
      return Math.min(this.#announcedBytes - before, SEGMENT_BYTES);
    }
    const first = this.#segments.length === 0 ? FIRST_SEGMENT_BYTES : SEGMENT_BYTES;
    return Math.min(Math.max(first, atHand), SEGMENT_BYTES);
  }

  /** The segments, the last one cut to what is used, so that the memory accounted is the memory held. */
  #chunks(): readonly Uint8Array[] {
    const last = this.#open;
    if (last !== null && this.#used < last.byteLength) {
      const exact = Buffer.allocUnsafeSlow(this.#used);
      exact.set(last.subarray(0, this.#used));
      this.#segments[this.#segments.length - 1] = exact;
    }
    return this.#segments;
  }
}

function announcedLength(headers: HeaderList): number | null {
  const text = getHeader(headers, 'content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
