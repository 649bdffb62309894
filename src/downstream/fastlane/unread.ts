import { isValidAuthority } from '../../http/target.ts';
import { type CanonicalHead, type HeadBounds, MAX_FIELDS, type Scanned, scanHead } from './scan.ts';

/** Of a head: no listener's limit makes one canonical that is longer. */
const MAX_HEAD_BYTES = 16 * 1024;

/** A head that comes in more pieces is not read from its start once more with each of them: that would be a quadratic cost. */
const MAX_PIECES = 8;

const nothing: Buffer = Buffer.alloc(0);

/** The first of the requests that lie there, with as much of its body as has come. */
export interface FirstRequest {
  readonly head: CanonicalHead;
  readonly body: Buffer;
}

/** What a connection's client has sent behind that which is in progress. The connection sees to it that this is not much. */
export class Unread {
  readonly #bounds: HeadBounds;
  #bytes: Buffer = nothing;
  /** Up to here they are whole requests, all canonical; beyond their end if a body reaches there. */
  #vetted = 0;
  /** The last of these closes the connection. */
  #vettedLast = false;
  #pieces = 0;
  /** They are still those that were put here. */
  #borrowed = false;
  /** Of a request before; none is empty. */
  #knownHost: string | null = null;

  /** Limits of heads as the listener has them. */
  constructor({ headerBytes, headerCount }: { readonly headerBytes: number; readonly headerCount: number }) {
    this.#bounds = { bytes: Math.min(headerBytes, MAX_HEAD_BYTES), count: Math.min(headerCount, MAX_FIELDS) };
  }

  get length(): number {
    return this.#bytes.length;
  }

  /** After the last look: nothing, or whole requests. */
  get isWhole(): boolean {
    return this.#vetted === this.#bytes.length;
  }

  /** After the last look: the first request is canonical, and all of its head is there. */
  get hasRequest(): boolean {
    return this.#vetted > 0;
  }

  /** Reads a head anywhere: bytes that are a whole request need not be put here first. */
  scan(bytes: Buffer, from: number, to: number): Scanned {
    const head = scanHead(bytes, from, to, this.#bounds);
    if (typeof head === 'string') return head;
    if (head.host === this.#knownHost) return head;
    if (!isValidAuthority(head.host)) return 'defer';
    this.#knownHost = head.host;
    return head;
  }

  /** `bytes` may lie in the shared buffer, until `own` is called. */
  put(bytes: Buffer): void {
    this.#borrowed = this.#bytes.length === 0;
    this.#bytes = this.#borrowed ? bytes : Buffer.concat([this.#bytes, bytes]);
  }

  /** What lies here is about to be overwritten: a copy of it is kept. */
  own(): void {
    if (this.#borrowed && this.#bytes.length > 0) this.#bytes = Buffer.from(this.#bytes);
    this.#borrowed = false;
  }

  /**
   * Is everything canonical, as far as it has come, and in not too many pieces? Nothing may be behind a request that closes. To be called
   * once for each packet, and once for each end of what was in progress.
   */
  look(): boolean {
    const isCanonical = this.#vet();
    this.#pieces = this.#vetted < this.#bytes.length ? this.#pieces + 1 : 0;
    return isCanonical && this.#pieces <= MAX_PIECES;
  }

  /** Takes the first request out, which must be there. `null`: it is not. */
  takeRequest(): FirstRequest | null {
    const bytes = this.#bytes;
    const head = this.scan(bytes, 0, bytes.length);
    if (typeof head === 'string') return null;
    const end = head.end + head.contentLength;
    this.#vetted -= end;
    this.#pieces = 0;
    this.#bytes = end < bytes.length ? bytes.subarray(end) : nothing;
    return { head, body: bytes.subarray(head.end, Math.min(end, bytes.length)) };
  }

  /** Everything, which may lie in the shared buffer. */
  takeAll(): Buffer {
    const bytes = this.#bytes;
    this.#bytes = nothing;
    this.#vetted = 0;
    return bytes;
  }

  #vet(): boolean {
    const bytes = this.#bytes;
    while (this.#vetted < bytes.length) {
      if (this.#vettedLast) return false;
      const head = this.scan(bytes, this.#vetted, bytes.length);
      if (typeof head === 'string') return head === 'more';
      this.#vetted = head.end + head.contentLength;
      this.#vettedLast = head.closes;
    }
    return true;
  }
}
