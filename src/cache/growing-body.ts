import { GatewayError } from '../errors.ts';
import type { BodySource } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';
import type { FillMemory } from './fill-memory.ts';
import { GrowingReader, type GrowingSegments } from './growing-reader.ts';
import { CHUNK_BYTES, MemoryBody } from './memory-body.ts';
import type { ByteSpan, StoredBody } from './stored-body.ts';

export interface Growth {
  /** What the head announces; `null` for nothing. */
  readonly announcedBytes: number | null;
  /** A body that outgrows this is passed on, not kept. */
  readonly limitBytes: number;
  /** `null`: no other bound than `limitBytes`. */
  readonly memory: FillMemory | null;
}

/** Why a body will not be complete here, although it may be so for those who read it. */
export type Outgrown = 'too-large' | 'fills-full';

const FIRST_SEGMENT_BYTES = 4 * 1024;
const SEGMENT_BYTES = 64 * 1024;

/** What may lie between the endpoint and the slowest reader of a body that is only passed on, in accounted bytes. */
const WINDOW_BYTES = 256 * 1024;

/**
 * A body that is still arriving. One feeder appends to it, any number of readers follow at their own pace, each from the beginning;
 * a slow one holds up nobody. It becomes complete in place, or fails all its readers.
 *
 * Hot on a miss. The bytes are copied into segments of up to 64 KiB: a transport's chunks are often slices of a pooled buffer, so
 * that keeping a slice would keep the whole, and a body sent byte by byte would cost 400 times its size. Memory is at most
 * `limitBytes` and one segment, taken from `memory` segment by segment and given back when the body fails, is stored, or has
 * neither feeder nor readers any more.
 *
 * A body that outgrows its limit, or finds no memory, becomes a window: it can't be read from its beginning any more, chunks are
 * let go of when every reader is past them, and its feeder is paused by the slowest reader; a single reader is plain back-pressure.
 */
export class GrowingBody implements StoredBody, GrowingSegments {
  /** Set by the feeder. After `append` returned `false`: it may go on. */
  onDrain: (() => void) | null = null;
  /** Set by the feeder. The last reader has left before the end. */
  onDeserted: (() => void) | null = null;
  readonly #growth: Growth;
  #phase: 'growing' | 'passing' | 'complete' | 'failed' = 'growing';
  #outgrown: Outgrown | null = null;
  /** Full but for the last one, of which `#used` bytes are; exact once complete or passing. */
  #segments: Uint8Array[] = [];
  /** Segments that were let go of. */
  #dropped = 0;
  #used = 0;
  #receivedBytes = 0;
  #takenBytes = 0;
  #paused = false;
  #trailers: HeaderList | null = null;
  #cause: GatewayError | null = null;
  readonly #readers = new Set<GrowingReader>();

  constructor(growth: Growth) {
    this.#growth = growth;
  }

  get length(): number | null {
    return this.#phase === 'complete' ? this.#receivedBytes : this.#growth.announcedBytes;
  }

  get chunks(): readonly Uint8Array[] | null {
    return this.isComplete && this.#outgrown === null ? this.#segments : null;
  }

  get heldBytes(): number {
    let bytes = 0;
    for (const segment of this.#segments) bytes += segment.byteLength + CHUNK_BYTES;
    return bytes;
  }

  /** Bytes that have arrived. */
  get receivedBytes(): number {
    return this.#receivedBytes;
  }

  /** Why it is a window and no longer to be stored; `null` while it is not. */
  get outgrown(): Outgrown | null {
    return this.#outgrown;
  }

  /** It can be read from its beginning. */
  get isReadable(): boolean {
    return this.#outgrown === null && this.#phase !== 'failed';
  }

  get failed(): boolean {
    return this.#phase === 'failed';
  }

  get readers(): number {
    return this.#readers.size;
  }

  read(span: ByteSpan | null): BodySource {
    // Trailers are not stored, and nobody waits for anything.
    if (this.chunks !== null) return new MemoryBody(this.chunks).read(span);
    const reader = new GrowingReader(this, span);
    if (this.isReadable) this.#readers.add(reader);
    else reader.bodyFailed(this.#cause ?? unreadable());
    return reader;
  }

  // ---- the feeder's side

  /**
   * Takes `chunk`, copies what it keeps, and hands it on to every reader that waits for it. False when the readers can't keep up
   * with a body that is not kept: `onDrain` tells when to go on. Ignored once the body is over.
   */
  append(chunk: Uint8Array): boolean {
    const { byteLength } = chunk;
    if (byteLength === 0 || this.#phase === 'complete' || this.#phase === 'failed') return true;
    if (this.#phase === 'growing' && this.#receivedBytes + byteLength > this.#growth.limitBytes)
      this.#slide('too-large');
    let from = 0;
    while (this.#phase === 'growing' && from < byteLength) from += this.#copy(chunk, from);
    if (this.#phase === 'passing' && from < byteLength) this.#keepUnread(chunk, from);
    const before = this.#receivedBytes;
    this.#receivedBytes += byteLength;
    for (const reader of this.#readers) reader.came(chunk, before);
    if (this.#phase !== 'passing') return true;
    this.#trim();
    this.#keepForTheSlow();
    this.#paused = this.#isFull();
    return !this.#paused;
  }

  /** The body ended cleanly: if it was kept, it is there as a whole now. `endReaders` must follow at once. */
  seal(trailers: HeaderList | null): void {
    if (this.#phase === 'growing') this.#cutLast();
    this.#phase = 'complete';
    this.#trailers = trailers;
  }

  /** Those who have read everything get their end, and the trailers, which are not stored (RFC 9110 §6.5.1). */
  endReaders(): void {
    for (const reader of this.#readers) reader.bodyEnded();
    this.#letGo();
  }

  /** The body is cut short: nobody ends cleanly with less than all of it. */
  fail(cause: GatewayError): void {
    this.#phase = 'failed';
    this.#cause = cause;
    this.#segments = [];
    this.release();
    for (const reader of this.#readers) reader.bodyFailed(cause);
    this.#readers.clear();
  }

  /** Its memory is accounted elsewhere, or gone. Idempotent. */
  release(): void {
    this.#growth.memory?.giveBack(this.#takenBytes);
    this.#takenBytes = 0;
  }

  // ---- the readers' side

  get isComplete(): boolean {
    return this.#phase === 'complete';
  }

  get trailers(): HeaderList | null {
    return this.#trailers;
  }

  segment(number: number): Uint8Array | null {
    return this.#segments[number - this.#dropped] ?? null;
  }

  filled(number: number): number {
    const index = number - this.#dropped;
    if (this.#phase === 'growing' && index === this.#segments.length - 1) return this.#used;
    return (this.#segments[index] as Uint8Array).byteLength;
  }

  advanced(): void {
    if (this.#outgrown === null) return;
    this.#trim();
    if (!this.#paused || this.#isFull()) return;
    this.#paused = false;
    this.onDrain?.();
  }

  left(reader: GrowingReader): void {
    if (!this.#readers.delete(reader)) return;
    if (this.#phase === 'complete') {
      this.#letGo();
      return;
    }
    if (this.#readers.size === 0) this.onDeserted?.();
    // It may have been the one that all others waited for.
    this.advanced();
  }

  // ---- memory

  #copy(chunk: Uint8Array, from: number): number {
    let open = this.#segments[this.#segments.length - 1];
    if (open === undefined || this.#used === open.byteLength) {
      const bytes = this.#nextSegmentBytes(from);
      if (this.#growth.memory !== null && !this.#growth.memory.take(bytes)) {
        this.#slide('fills-full');
        return 0;
      }
      this.#takenBytes += bytes;
      open = Buffer.allocUnsafeSlow(bytes);
      this.#used = 0;
      this.#segments.push(open);
    }
    const count = Math.min(chunk.byteLength - from, open.byteLength - this.#used);
    open.set(from === 0 && count === chunk.byteLength ? chunk : chunk.subarray(from, from + count), this.#used);
    this.#used += count;
    return count;
  }

  /**
   * Exactly what is left of an announced body, but never more than one segment ahead of what has arrived: an endpoint that
   * announces much and sends nothing costs little. Unannounced bodies grow from 4 KiB.
   */
  #nextSegmentBytes(copied: number): number {
    const { announcedBytes } = this.#growth;
    if (announcedBytes !== null) return Math.min(announcedBytes - this.#receivedBytes - copied, SEGMENT_BYTES);
    return this.#segments.length === 0 ? FIRST_SEGMENT_BYTES : SEGMENT_BYTES;
  }

  /** The last segment becomes as long as what is in it. */
  #cutLast(): void {
    const last = this.#segments[this.#segments.length - 1];
    if (last === undefined || this.#used === last.byteLength) return;
    const exact = Buffer.allocUnsafeSlow(this.#used);
    exact.set(last.subarray(0, this.#used));
    this.#segments[this.#segments.length - 1] = exact;
  }

  // ---- the window

  #slide(why: Outgrown): void {
    this.#outgrown = why;
    this.#phase = 'passing';
    const last = this.#segments.length - 1;
    if (last >= 0) this.#segments[last] = (this.#segments[last] as Uint8Array).subarray(0, this.#used);
  }

  /** For readers that are behind, if there are any. */
  #keepUnread(chunk: Uint8Array, from: number): void {
    if (this.#readers.size > 0) this.#segments.push(from === 0 ? chunk : chunk.subarray(from));
  }

  /** A chunk is the feeder's own. Most are read by everybody at once, and are not worth a copy. */
  #keepForTheSlow(): void {
    const last = this.#segments[this.#segments.length - 1];
    if (last !== undefined) this.#segments[this.#segments.length - 1] = new Uint8Array(last);
  }

  #trim(): void {
    let slowest = Number.POSITIVE_INFINITY;
    for (const reader of this.#readers) slowest = Math.min(slowest, reader.nextSegment);
    const count = Math.min(this.#segments.length, slowest - this.#dropped);
    if (count <= 0) return;
    this.#segments.splice(0, count);
    this.#dropped += count;
    if (this.#segments.length === 0) this.release();
  }

  /** True also when there is nobody who could take more now: what is read ahead then would help nobody. */
  #isFull(): boolean {
    if (this.#readers.size === 0) return false;
    let canTake = false;
    for (const reader of this.#readers) canTake ||= !reader.isBlocked;
    return !canTake || this.heldBytes > WINDOW_BYTES;
  }

  /** Without readers, a complete body is whose entry it is in. */
  #letGo(): void {
    if (this.#readers.size === 0) this.release();
  }
}

function unreadable(): GatewayError {
  return new GatewayError('http_response_incomplete', { blame: 'gateway', status: 502, reason: 'body-outgrown' });
}
