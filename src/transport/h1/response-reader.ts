import type { HeaderList } from '../../http/headers.ts';
import { isBodiless } from '../response-head.ts';
import { ChunkReader } from './chunked.ts';
import { isWorthLending, lend, takeBack } from './lent-block.ts';
import { FAULT, HeadReader, MORE } from './parse-head.ts';

/** Of what was received, so much is looked at for a head first: nearly all are shorter, and the rest is often body. */
const HEAD_BYTES = 1024;

/** What is wrong with a response; `ResponseListener.broken` makes it the failure of an attempt. */
export type ResponseFault =
  | 'malformed-response'
  | 'transfer-coding'
  | 'unasked-upgrade'
  | 'head-too-large'
  | 'trailers-too-large';

/** Hears one response. Legal order: `interim* head data* whole`, or `broken` at any point; nothing follows `whole` and `broken`. */
export interface ResponseListener {
  interim(status: number, headers: HeaderList): void;
  /** `last`: no body follows, only `whole`. */
  head(status: number, headers: HeaderList, last: boolean): void;
  /** Of the chunk of `data`, nothing is kept: asked before, and once more when it has returned. */
  readonly letsGo: boolean;
  /** The chunk is the listener's, unless it let go of it. `false`: nothing more until `resume`. */
  data(chunk: Buffer): boolean;
  /** `reusable`: the next byte of the connection will be the first of another response. */
  whole(trailers: HeaderList | null, reusable: boolean): void;
  broken(fault: ResponseFault): void;
}

/** `closing`: by what an interim response has said, the endpoint closes before it answers. */
type State = 'head' | 'closing' | 'length' | 'chunked' | 'trailers' | 'until-close' | 'end' | 'over';

/**
 * Reads the responses of one connection, one at a time (RFC 9112 §6.3). What it is not sure about is a fault: it never guesses where
 * a body ends. Calls its listener from within `take`, `resume` and `ended` only, and must not be entered while it does so.
 */
export class ResponseReader {
  /** The status line of the present response was begun. */
  begun = false;
  /** What the endpoint has said of idle connections with the present response (`Keep-Alive`); `null` for nothing. */
  keepAlive: string | null = null;
  readonly #head: HeadReader;
  readonly #chunks = new ChunkReader();
  #listener: ResponseListener | null = null;
  #method = '';
  #state: State = 'over';
  #left = 0;
  #reusable = false;
  #paused = false;
  #ending = false;
  /** Received and not looked at, for the listener has stopped: what one read brought, at most. */
  #rest: Buffer | null = null;
  /** Somebody holds a part of what was lent. */
  #kept = false;

  constructor(maxHeadBytes: number) {
    this.#head = new HeadReader(maxHeadBytes);
  }

  /** A response to a request with `method` comes next. */
  expect(method: string, listener: ResponseListener): void {
    this.#listener = listener;
    this.#method = method;
    this.begun = false;
    this.#paused = false;
    this.#ending = false;
    this.#rest = null;
    this.#state = 'head';
    this.#head.reset();
  }

  /** Nothing is told any more. */
  stop(): void {
    this.#state = 'over';
    this.#listener = null;
    this.#rest = null;
  }

  /** Hot. Bytes 0 to `length` are not looked at any more, once the listener has been called for the first time. */
  take(bytes: Buffer, length: number): void {
    if (this.#state === 'head') this.#readHead(bytes, length);
    else if (this.#paused) this.#keep(copyOf(bytes, 0, length));
    else if (isWorthLending(length) && this.#listener?.letsGo === true) this.#readLent(lend(bytes, length));
    else this.#readBody(copyOf(bytes, 0, length));
  }

  #readLent(bytes: Buffer): void {
    this.#kept = false;
    this.#readBody(bytes);
    if (!this.#kept && this.#rest === null) takeBack(bytes);
  }

  /** The listener goes on. Returns whether it has not stopped again. */
  resume(): boolean {
    this.#paused = false;
    const rest = this.#rest;
    this.#rest = null;
    if (rest !== null || this.#state === 'end') this.#readBody(rest ?? NOTHING);
    return !this.#paused;
  }

  get paused(): boolean {
    return this.#paused;
  }

  /** The endpoint's end was told while the listener had stopped: when it goes on, and is through with what was received, `ended` is asked once more. */
  get ending(): boolean {
    return this.#ending;
  }

  /** The endpoint sends nothing any more. Returns whether that ends the response as it should, or will when the listener goes on. */
  ended(): boolean {
    // TLS tells of the end behind what it has handed on, also to who has stopped.
    if (this.#paused) {
      this.#ending = true;
      this.#reusable = false;
      return true;
    }
    if (this.#state !== 'until-close') return false;
    this.#reusable = false;
    this.#finish(null);
    return true;
  }

  #readHead(bytes: Buffer, length: number): void {
    let at = 0;
    while (at < length) {
      const to = Math.min(length, at + HEAD_BYTES);
      const used = this.#head.read(bytes.toString('latin1', at, to));
      if (used === MORE) at = to;
      else if (used === FAULT) {
        this.begun = true;
        this.#break(this.#head.fault === 'too-large' ? 'head-too-large' : 'malformed-response');
        return;
      } else {
        this.begun = true;
        at += used;
        const rest = at < length ? copyOf(bytes, at, length) : null;
        this.#headRead(rest);
        return;
      }
    }
    this.begun ||= this.#head.begun;
  }

  #headRead(rest: Buffer | null): void {
    const head = this.#head;
    if (head.status < 200) {
      this.#interim();
      if (rest === null) return;
      if (this.#state === 'head') this.#readHead(rest, rest.length);
      else this.#readBody(rest);
      return;
    }
    const { status, fields } = head;
    const bodiless = isBodiless(this.#method, status);
    if (!bodiless && head.codings > 0 && (head.codings > 1 || !head.chunked)) {
      this.#break('transfer-coding');
      return;
    }
    this.keepAlive = head.keepAlive;
    this.#reusable =
      keepsConnection(head) && (bodiless ? this.#endsSurely(status) : head.length !== -1 || head.chunked);
    const last = bodiless || head.length === 0;
    if (last) this.#state = 'end';
    else if (head.chunked) {
      this.#chunks.reset();
      this.#state = 'chunked';
    } else if (head.length > 0) {
      this.#left = head.length;
      this.#state = 'length';
    } else this.#state = 'until-close';
    this.#listener?.head(status, fields, last);
    if (rest !== null || last) this.#readBody(rest ?? NOTHING);
  }

  #interim(): void {
    const { status, fields, saysUpgrade, upgrade } = this.#head;
    if (status < 100) this.#break('malformed-response');
    // A 101 without the fields that make it a switch of protocols is not even that (RFC 9110 §15.2.2).
    else if (status === 101) this.#break(saysUpgrade && upgrade ? 'unasked-upgrade' : 'malformed-response');
    else {
      const goesOn = keepsConnection(this.#head);
      this.#head.reset();
      if (!goesOn) this.#state = 'closing';
      this.#listener?.interim(status, fields);
    }
  }

  /** A response without a body, after which the connection is as good as before: the endpoint has not announced what it must not send. */
  #endsSurely(status: number): boolean {
    const { length, codings, chunked, saysKeepAlive } = this.#head;
    if (status === 204 || status === 304) return this.#method === 'HEAD' || (length <= 0 && codings === 0);
    // To HEAD: an endpoint that frames nothing may be one that ends its bodies by closing (as undici has it).
    return length !== -1 || chunked || saysKeepAlive;
  }

  #readBody(bytes: Buffer): void {
    const end = bytes.length;
    let at = 0;
    while (!this.#paused) {
      switch (this.#state) {
        case 'length': {
          if (at === end) return;
          const to = Math.min(end, at + this.#left);
          this.#left -= to - at;
          if (this.#left === 0) this.#state = 'end';
          const chunk = slice(bytes, at, to);
          at = to;
          this.#give(chunk);
          break;
        }
        case 'until-close':
          if (at === end) return;
          this.#give(slice(bytes, at, end));
          at = end;
          break;
        case 'chunked':
          if (at === end) return;
          at = this.#readChunk(bytes, at, end);
          break;
        case 'trailers':
          if (at === end) return;
          at = this.#readTrailers(bytes, at, end);
          break;
        case 'end':
          // Nobody asked for more: it must not be taken for the next response (response splitting, request smuggling's mirror).
          if (at < end && !areLineEnds(bytes, at, end)) this.#reusable = false;
          this.#finish(null);
          return;
        case 'closing':
          if (at < end) this.#break('malformed-response');
          return;
        default:
          return;
      }
    }
    if (at < end) this.#rest = slice(bytes, at, end);
  }

  #readChunk(bytes: Buffer, from: number, end: number): number {
    const chunks = this.#chunks;
    const at = chunks.advance(bytes, from, end);
    if (at < 0) {
      this.#break('malformed-response');
      return end;
    }
    if (chunks.isLast) {
      this.#head.reset();
      this.#state = 'trailers';
      return at;
    }
    const to = Math.min(end, at + chunks.left);
    if (to === at) return at;
    chunks.take(to - at);
    this.#give(slice(bytes, at, to));
    return to;
  }

  #readTrailers(bytes: Buffer, at: number, end: number): number {
    const used = this.#head.readTrailers(bytes.toString('latin1', at, end));
    if (used === MORE) return end;
    if (used === FAULT) this.#break(this.#head.fault === 'too-large' ? 'trailers-too-large' : 'malformed-response');
    else {
      if (at + used < end && !areLineEnds(bytes, at + used, end)) this.#reusable = false;
      const { fields } = this.#head;
      this.#finish(fields.length === 0 ? null : fields);
    }
    return end;
  }

  /** TLS hands on all records of what it has received, stopped or not: 64 KiB at most. */
  #keep(bytes: Buffer): void {
    this.#rest = this.#rest === null ? bytes : Buffer.concat([this.#rest, bytes]);
  }

  #give(chunk: Buffer): void {
    const listener = this.#listener;
    if (listener === null) return;
    if (!listener.data(chunk)) this.#paused = true;
    if (!listener.letsGo) this.#kept = true;
  }

  #finish(trailers: HeaderList | null): void {
    const listener = this.#listener;
    this.stop();
    listener?.whole(trailers, this.#reusable);
  }

  #break(fault: ResponseFault): void {
    const listener = this.#listener;
    this.stop();
    listener?.broken(fault);
  }
}

/** Whether bytes `from` to `to` are line ends only: some endpoints send one behind a body, and llhttp passes over them between two messages. */
export function areLineEnds(bytes: Buffer, from: number, to: number): boolean {
  for (let i = from; i < to; i += 1) if (bytes[i] !== 0x0d && bytes[i] !== 0x0a) return false;
  return true;
}

const NOTHING = Buffer.alloc(0);

/** RFC 9112 §9.3. */
function keepsConnection({ persistent, saysClose, saysKeepAlive }: HeadReader): boolean {
  return !saysClose && (persistent || saysKeepAlive);
}

function copyOf(bytes: Buffer, from: number, to: number): Buffer {
  const copy = Buffer.allocUnsafe(to - from);
  bytes.copy(copy, 0, from, to);
  return copy;
}

/** Without a second view of what is one already. */
function slice(bytes: Buffer, from: number, to: number): Buffer {
  return from === 0 && to === bytes.length ? bytes : bytes.subarray(from, to);
}
