import type { ByteSpan } from '../../cache/stored-body.ts';
import type { TimerHandle } from '../../clock.ts';
import { GatewayError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../exchange/body.ts';
import type { DiskBodyParts, ReadFailure } from './disk-body.ts';
import { codeOf, readFully } from './file-system.ts';
import { type FileLayout, openSegment, SEGMENT_BYTES, segmentPlace } from './format.ts';
import type { SharedFile } from './open-files.ts';

/** A disk that takes longer for 64 KiB is one that does not answer. */
const READ_MS = 10_000;

/**
 * Reads a span of one file, a segment at a time and only when the last one was taken; each is checked before anybody sees it. Holds
 * one segment, and the file from the first read to the end, the failure or the client's leaving.
 */
export class DiskReader implements BodySource {
  readonly length: number;
  readonly #layout: FileLayout;
  readonly #parts: DiskBodyParts;
  readonly #span: ByteSpan;
  /** The segment that is read next, or was read and not handed on. */
  #next: number;
  #ready: Buffer | null = null;
  #file: SharedFile | null = null;
  #sink: BodySink | null = null;
  #waiting: ((ready: boolean) => void) | null = null;
  #reading = false;
  #over = false;
  #touched = false;
  #deadline: TimerHandle | null = null;
  /** What memory may get afterwards; `null` when it may not. */
  #kept: Buffer[] | null = null;

  constructor(layout: FileLayout, span: ByteSpan | null, parts: DiskBodyParts) {
    this.#layout = layout;
    this.#parts = parts;
    this.#span = span ?? { from: 0, to: layout.bodyBytes };
    this.length = this.#span.to - this.#span.from;
    this.#next = Math.floor(this.#span.from / SEGMENT_BYTES);
    if (this.length === layout.bodyBytes && parts.mayKeep(this.length)) this.#kept = [];
  }

  get untouched(): boolean {
    return !this.#touched;
  }

  /** Fetches the first segment; `waiting` hears once whether it is there, unless the reader is discarded before. Never at once. */
  begin(waiting: (ready: boolean) => void): void {
    this.#waiting = waiting;
    this.#read();
  }

  pipe(into: BodySink): void {
    this.#sink = into;
    const pour = (): void => this.#pour();
    into.onDrain = pour;
    this.#pour();
  }

  unpipe(): void {
    this.#sink = null;
  }

  discard(): void {
    this.#sink = null;
    this.#waiting = null;
    this.#close();
  }

  /** Hot for large bodies. Whoever leaves while we write discards, so the sink is asked for each time. */
  #pour(): void {
    if (this.#sink === null || this.#over) return;
    if (this.#ready !== null) {
      const more = this.#handOn(this.#sink, this.#ready);
      if (this.#sink === null || !more) return;
    }
    if (this.#isAtEnd()) this.#finish();
    else if (!this.#reading) this.#read();
  }

  #handOn(sink: BodySink, segment: Buffer): boolean {
    const start = this.#next * SEGMENT_BYTES;
    const from = Math.max(0, this.#span.from - start);
    const to = Math.min(segment.byteLength, this.#span.to - start);
    this.#ready = null;
    this.#next += 1;
    this.#touched = true;
    // Before the last bytes go out, so that the client's next request finds the response in memory.
    if (this.#isAtEnd()) this.#offer();
    return sink.data(from === 0 && to === segment.byteLength ? segment : segment.subarray(from, to));
  }

  #isAtEnd(): boolean {
    return this.#next * SEGMENT_BYTES >= this.#span.to;
  }

  #finish(): void {
    const sink = this.#sink;
    this.#sink = null;
    this.#close();
    sink?.end(null);
  }

  #offer(): void {
    if (this.#kept !== null) this.#parts.fetched(this.#layout.id, this.#kept);
  }

  #read(): void {
    this.#reading = true;
    this.#deadline = this.#parts.clock.after(READ_MS, () => this.#lose('timeout'));
    this.#fetch()
      .then(
        (read) => this.#came(read),
        (error: unknown) => this.#came(codeOf(error)),
      )
      // A bug of whoever reads must not end the process: there is nobody else that it could be told.
      .catch(() => this.#lose('bug'));
  }

  /** The next segment, or why it can't be had. */
  async #fetch(): Promise<Buffer | ReadFailure> {
    const { id } = this.#layout;
    if (this.#file === null) {
      const file = await this.#parts.files.acquire(this.#parts.pathOf(id));
      if (file === null) return 'busy';
      // Nobody wants it any more: `#close` has run and found nothing to release.
      if (this.#over) file.release();
      else this.#file = file;
    }
    if (this.#over || this.#file === null) return 'busy';
    const { at, bytes } = segmentPlace(this.#layout, this.#next);
    const buffer = Buffer.allocUnsafeSlow(bytes);
    if ((await readFully(this.#file.handle, buffer, at)) < bytes) return 'cut-short';
    return openSegment(id, this.#next, buffer) ?? 'checksum';
  }

  #came(read: Buffer | ReadFailure): void {
    if (this.#over) return;
    this.#reading = false;
    this.#disarm();
    if (typeof read === 'string') {
      this.#lose(read);
      return;
    }
    this.#parts.segmentRead(read.byteLength);
    this.#ready = read;
    this.#kept?.push(read);
    const waiting = this.#waiting;
    this.#waiting = null;
    // Who waited pipes it in turn.
    if (waiting !== null) waiting(true);
    else this.#pour();
  }

  #lose(why: ReadFailure): void {
    if (this.#over) return;
    const sink = this.#sink;
    const waiting = this.#waiting;
    this.discard();
    this.#parts.broken(this.#layout.id, why);
    waiting?.(false);
    sink?.fail(unreadable());
  }

  #disarm(): void {
    if (this.#deadline !== null) this.#parts.clock.cancel(this.#deadline);
    this.#deadline = null;
  }

  #close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#disarm();
    this.#ready = null;
    if (this.#kept !== null) this.#parts.noLongerKept(this.#layout.bodyBytes);
    this.#kept = null;
    this.#file?.release();
    this.#file = null;
  }
}

/** The client has part of the body already: it can only be cut short, visibly (RFC 9112 §8). */
export function unreadable(): GatewayError {
  return new GatewayError('proxy_internal_error', { blame: 'gateway', status: 502, reason: 'stored-body-unreadable' });
}
