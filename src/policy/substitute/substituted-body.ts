import { Buffer } from 'node:buffer';
import type { GatewayError } from '../../errors.ts';
import type { BodySink } from '../../exchange/body.ts';
import type { HeaderList } from '../../http/headers.ts';
import type { BodyFilter } from '../body-transform.ts';
import { type Found, type Needle, NeedleSearch, openBegin } from './needles.ts';

/** What is handed on at once, however many replacements are in it. */
const OUTPUT_BYTES = 64 * 1024;

const nothing = Buffer.alloc(0);

/**
 * A body on its way, with every needle replaced: as one replacement of all of them at once would do it in the whole body, wherever the pieces
 * begin and end. Of what has come, only the end that may be the begin of a needle is held back, at most the longest needle but one octet, until
 * more comes. Holds besides one piece that its sink has no room for, and 64 KiB of output. A body that begins with the byte order mark of
 * UTF-16 passes as it is.
 */
export class SubstitutedBody implements BodyFilter {
  onDrain: (() => void) | null = null;
  readonly #into: BodySink;
  readonly #needles: readonly Needle[];
  /** What is left of what came: not looked at, or held back. */
  #rest: Buffer = nothing;
  #search: NeedleSearch | null = null;
  /** Up to where `#rest` is handed on. */
  #at = 0;
  #output: Uint8Array[] = [];
  #outputBytes = 0;
  /** The sink has no room. */
  #full = false;
  /** There is no telling yet whether it is UTF-16. */
  #isBegin = true;
  #passes = false;
  #ended = false;
  #trailers: HeaderList | null = null;
  #isOver = false;
  #atWork = false;

  constructor(into: BodySink, needles: readonly Needle[]) {
    this.#into = into;
    this.#needles = needles;
    const drained = (): void => this.#drained();
    into.onDrain = drained;
  }

  data(chunk: Uint8Array): boolean {
    if (this.#isOver) return true;
    const bytes = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    const left = this.#rest.length - this.#at;
    this.#rest = left === 0 ? bytes : Buffer.concat([this.#rest.subarray(this.#at), bytes]);
    this.#at = 0;
    this.#search = null;
    this.#work();
    return !this.#full;
  }

  end(trailers: HeaderList | null): void {
    if (this.#isOver || this.#ended) return;
    this.#ended = true;
    this.#trailers = trailers;
    this.#search = null;
    this.#work();
  }

  fail(cause: GatewayError): void {
    if (this.#isOver) return;
    this.stop();
    this.#into.fail(cause);
  }

  stop(): void {
    this.#isOver = true;
    this.#rest = nothing;
    this.#search = null;
    this.#output = [];
  }

  #drained(): void {
    if (this.#isOver) return;
    this.#full = false;
    // Called by the sink within its own `data`: the loop goes on by itself.
    if (this.#atWork) return;
    this.#work();
    if (!this.#full && !this.#isOver && !this.#ended) this.onDrain?.();
  }

  #work(): void {
    this.#atWork = true;
    if (this.#isBegin) this.#lookAtBegin();
    if (!this.#isBegin) while (!this.#full && !this.#isOver && this.#step());
    this.#atWork = false;
    if (this.#full || this.#isOver || !this.#ended) return;
    const trailers = this.#trailers;
    this.stop();
    this.#into.end(trailers);
  }

  #lookAtBegin(): void {
    if (this.#rest.length < 2 && !this.#ended) return;
    this.#isBegin = false;
    const mark = this.#rest.length < 2 ? 0 : this.#rest.readUInt16BE(0);
    this.#passes = mark === 0xfeff || mark === 0xfffe;
  }

  /** Up to the next needle, or to where nothing more can be told; false when there is nothing more to do. */
  #step(): boolean {
    const { length } = this.#rest;
    if (this.#passes) {
      this.#put(this.#rest.subarray(this.#at), length);
      this.#flush();
      return false;
    }
    const open = this.#ended ? length : openBegin(this.#rest, this.#at, this.#needles);
    this.#search ??= new NeedleSearch(this.#rest, this.#needles);
    let found: Found | null = this.#search.from(this.#at);
    while (found !== null && found.at < open) {
      const { at, needle } = found;
      this.#put(this.#rest.subarray(this.#at, at), at);
      this.#put(needle.replacement, at + needle.find.length);
      if (this.#outputBytes >= OUTPUT_BYTES && !this.#flush()) return false;
      // What is open may have been part of it.
      if (this.#at > open) return true;
      found = this.#search.from(this.#at);
    }
    this.#put(this.#rest.subarray(this.#at, open), open);
    this.#flush();
    return false;
  }

  #put(bytes: Uint8Array, upTo: number): void {
    this.#at = upTo;
    if (bytes.length === 0) return;
    this.#output.push(bytes);
    this.#outputBytes += bytes.length;
  }

  /** False when the sink has no room, or nothing more is wanted. */
  #flush(): boolean {
    const [only] = this.#output;
    if (only === undefined) return !this.#full;
    const bytes = this.#output.length === 1 ? only : Buffer.concat(this.#output, this.#outputBytes);
    this.#output = [];
    this.#outputBytes = 0;
    this.#full = true;
    const more = this.#into.data(bytes);
    if (more) this.#full = false;
    return !this.#full && !this.#isOver;
  }
}
