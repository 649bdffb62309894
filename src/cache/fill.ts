import { clientGone, GatewayError } from '../errors.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { getHeader, type HeaderList } from '../http/headers.ts';
import { type Altered, type CacheEntry, makeEntry } from './entry.ts';
import type { FillMemory } from './fill-memory.ts';
import type { ExchangeTimes } from './freshness.ts';
import { GrowingBody, type Outgrown } from './growing-body.ts';
import type { CacheRequest } from './key.ts';
import { MemoryBody } from './memory-body.ts';
import { entryWithPart, type StorablePart } from './partial.ts';
import type { CachePolicy } from './policy.ts';
import type { Storable } from './storability.ts';
import type { CacheStore } from './store.ts';
import type { StoredBody } from './stored-body.ts';

/** One response on its way into the store. */
export interface FillPlan {
  readonly store: CacheStore;
  readonly request: CacheRequest;
  /** As the endpoint sent it, before any edit of ours. */
  readonly head: ResponseHead;
  /** What `storability` said of `head`. */
  readonly verdict: Storable;
  /** What was made of it before; default `null`: nothing, it is as the endpoint sent it. */
  readonly altered?: Altered | null;
  readonly times: ExchangeTimes;
  /** The store's epoch when the request was looked up, before it was sent: `Lookup.epoch`. */
  readonly epoch: number;
  /** A body above this is dropped, whatever it announced. */
  readonly objectBytes: number;
  /** The body is a part of the whole only, and `head` and `verdict` are what it says of that. */
  readonly part?: { readonly part: StorablePart; readonly policy: CachePolicy };
  /** What all fills together may hold. Default: each its own `objectBytes`. */
  readonly memory?: FillMemory;
  /** Hears once each that it began and what became of it. */
  readonly tally?: FillTally;
}

export interface FillTally {
  fillBegan(): void;
  fillEnded(end: FillEnd): void;
}

/**
 * What became of a fill. `fills-full`: others left no memory for it. `invalidated`: an unsafe request or a purge came between request and end (RFC 9111 §4.4).
 * `refused`: the store has a later answer, or no room for one like this.
 */
export type FillEnd = 'stored' | Outgrown | 'incomplete' | 'invalidated' | 'aborted' | 'refused';

/**
 * One response body on its way into the store: stored when it turns out complete (RFC 9111 §3.3). Feed it `data* (end | abort)`.
 * Until then, others can read `body` as it grows, under the head of `entry`. Trailers are not stored (RFC 9110 §6.5.1 allows to
 * discard them).
 */
export class Fill {
  readonly body: GrowingBody;
  /** Called once when it is known what becomes of it, before its readers hear of the end. */
  onSettled: (() => void) | null = null;
  readonly #plan: FillPlan;
  readonly #announcedBytes: number | null;
  #entry: CacheEntry | null = null;
  #end: FillEnd | null = null;

  constructor(plan: FillPlan) {
    this.#plan = plan;
    this.#announcedBytes = plan.part === undefined ? announcedLength(plan.head) : lengthOf(plan.part.part);
    this.body = new GrowingBody({
      announcedBytes: this.#announcedBytes,
      limitBytes: plan.objectBytes,
      memory: plan.memory ?? null,
    });
    plan.tally?.fillBegan();
  }

  /** The response as it can be served from now on, while its body is still arriving. Not what is stored in the end. */
  get entry(): CacheEntry {
    this.#entry ??= this.#entryAround(this.body);
    return this.#entry;
  }

  /** `null` while it may still be stored. */
  get result(): FillEnd | null {
    return this.#end;
  }

  /** Bytes that are still to come, as far as the head has announced them; else `null`. */
  get restBytes(): number | null {
    return this.#announcedBytes === null ? null : this.#announcedBytes - this.body.receivedBytes;
  }

  /** Copies `chunk`. False when the readers of a body that is no longer to be stored can't keep up: `body.onDrain` follows. */
  data(chunk: Uint8Array): boolean {
    if (this.body.failed) return true;
    // More than announced is as wrong as less (RFC 9112 §8).
    if (this.#announcedBytes !== null && this.body.receivedBytes + chunk.byteLength > this.#announcedBytes) {
      this.#fail('incomplete', wrongLength());
      return true;
    }
    const more = this.body.append(chunk);
    if (this.body.outgrown !== null) this.#endAs(this.body.outgrown);
    return more;
  }

  /** The body ended cleanly: stores it, if it is as long as it said. Those who read it now get `trailers` too. */
  end(trailers: HeaderList | null): FillEnd {
    if (this.body.failed || this.body.isComplete) return this.#end ?? 'aborted';
    if (this.#announcedBytes !== null && this.#announcedBytes !== this.body.receivedBytes) {
      return this.#fail('incomplete', wrongLength());
    }
    this.body.seal(trailers);
    const { chunks } = this.body;
    // Before its readers hear of the end, so that their next requests find it.
    if (chunks !== null) this.#endAs(this.#store(chunks));
    this.body.endReaders();
    return this.#end ?? 'aborted';
  }

  /** The body was cut short by `cause`, or nobody wants to wait for the rest. */
  abort(cause: GatewayError = clientGone()): void {
    if (!this.body.failed && !this.body.isComplete) this.#fail('aborted', cause);
  }

  /** The entry that is stored is weighed now, has the length that was counted, and nothing of the fill about it. */
  #store(chunks: readonly Uint8Array[]): FillEnd {
    const { store, epoch } = this.#plan;
    const entry = this.#entryOf(chunks);
    if (entry === null) return 'refused';
    if (store.invalidatedSince(entry, epoch)) return 'invalidated';
    if (!store.set(entry)) return 'refused';
    this.body.release();
    return 'stored';
  }

  #entryOf(chunks: readonly Uint8Array[]): CacheEntry | null {
    const { part } = this.#plan;
    return part === undefined
      ? this.#entryAround(new MemoryBody(chunks))
      : entryWithPart({ ...this.#plan, ...part }, chunks);
  }

  #entryAround(body: StoredBody): CacheEntry {
    const { request, head, verdict, times, altered = null } = this.#plan;
    return makeEntry({ request, head, verdict, times, body, altered });
  }

  #fail(end: FillEnd, cause: GatewayError): FillEnd {
    const first = this.#endAs(end);
    this.body.fail(cause);
    return first;
  }

  /** The first end counts. */
  #endAs(end: FillEnd): FillEnd {
    if (this.#end !== null) return this.#end;
    this.#end = end;
    this.#plan.tally?.fillEnded(end);
    this.onSettled?.();
    return end;
  }
}

function wrongLength(): GatewayError {
  return new GatewayError('http_response_incomplete', { blame: 'upstream', status: 502, reason: 'wrong-length' });
}

function lengthOf({ range }: StorablePart): number {
  return range.to - range.from;
}

/** Of a `Content-Length` that can be read; `null` for none. In a 204 it means nothing (RFC 9110 §8.6). */
export function announcedLength({ status, headers }: { status: number; headers: HeaderList }): number | null {
  const text = status === 204 ? null : getHeader(headers, 'content-length');
  return text !== null && /^\d{1,15}$/.test(text) ? Number(text) : null;
}
