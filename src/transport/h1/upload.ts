import type { Socket } from 'node:net';
import type { GatewayError } from '../../errors.ts';
import type { BodySink, BodySource } from '../../exchange/body.ts';
import { framing } from './request-head.ts';

/** A body of unknown length that has come whole, and is no larger, is sent with its length. */
const GATHER_BYTES = 64 * 1024;
/** Up to here, copying a chunk into the text of the head costs less than a second buffer for the system call. */
const JOIN_BYTES = 8 * 1024;

export interface UploadOwner {
  /** Everything is written. */
  uploaded(): void;
  /** Its sender broke it off. */
  bodyFailed(cause: GatewayError): void;
  /** It is not as long as announced. */
  bodyMismatched(): void;
}

/**
 * A request with its body on the way to `socket`: the head goes out with what of the body is there when the request begins; if
 * nothing is, alone, one turn of the event loop later. A client may hold its body back until it has heard from the endpoint. The source is asked for nothing before `begin`: until
 * then the body stays untouched and may go elsewhere. Trailers are dropped, as undici does (RFC 9110 §6.5).
 */
export class Upload implements BodySink {
  onDrain: (() => void) | null = null;
  /** Chunks written. */
  written = 0;
  readonly #source: BodySource;
  readonly #owner: UploadOwner;
  readonly #method: string;
  #length: number | null;
  #socket: Socket | null = null;
  /** Still to be written. */
  #head: string | null = null;
  /** What has come before the head could be written: `GATHER_BYTES` and a chunk at most. */
  #gathered: Uint8Array[] | null = null;
  #bytes = 0;
  /** The source holds us as its sink. */
  #attached = false;
  #ended = false;
  #over = false;
  #full = false;

  constructor(source: BodySource, method: string, owner: UploadOwner) {
    this.#source = source;
    this.#method = method;
    this.#owner = owner;
    this.#length = source.length;
  }

  begin(head: string, socket: Socket): void {
    this.#head = head;
    this.#socket = socket;
    this.#attached = true;
    const gathered: Uint8Array[] = [];
    this.#gathered = gathered;
    this.#source.pipe(this);
    this.#gathered = null;
    if (this.#over) return;
    if (this.#ended) this.#writeWhole(gathered);
    else if (gathered.length > 0) this.#writeFirst(gathered);
    else setImmediate(writeHead, this);
  }

  data(chunk: Uint8Array): boolean {
    if (this.#over || chunk.length === 0) return true;
    this.#bytes += chunk.length;
    if (this.#length !== null && this.#bytes > this.#length) {
      this.#stop();
      this.#owner.bodyMismatched();
      return true;
    }
    if (this.#gathered !== null) {
      this.#gathered.push(chunk);
      this.#full = this.#bytes >= GATHER_BYTES;
      return !this.#full;
    }
    this.#full = !this.#write(chunk);
    return !this.#full;
  }

  end(): void {
    this.#attached = false;
    this.#ended = true;
    if (this.#over || this.#gathered !== null) return;
    if (this.#head !== null) this.#writeWhole([]);
    else this.#finish(this.#length === null ? '0\r\n\r\n' : '');
  }

  fail(cause: GatewayError): void {
    this.#attached = false;
    if (this.#over) return;
    this.#over = true;
    this.#owner.bodyFailed(cause);
  }

  /** The socket takes more. */
  drained(): void {
    if (!this.#full || this.#over) return;
    this.#full = false;
    this.onDrain?.();
  }

  /** Takes nothing more from the source. Must be called before anybody else pipes it: it would take the sink off again. */
  detach(): void {
    this.#over = true;
    this.#stop();
  }

  #stop(): void {
    this.#over = true;
    if (!this.#attached) return;
    this.#attached = false;
    this.#source.unpipe();
  }

  /** The body is there from its first to its last byte. */
  #writeWhole(chunks: readonly Uint8Array[]): void {
    if (this.#length !== null && this.#bytes !== this.#length) {
      this.#stop();
      this.#owner.bodyMismatched();
      return;
    }
    this.#length = this.#bytes;
    this.#writeFirst(chunks);
    this.#finish('');
  }

  #writeFirst(chunks: readonly Uint8Array[]): void {
    const socket = this.#socket as Socket;
    if (this.#length !== null && this.#bytes <= JOIN_BYTES) {
      let text = this.#takeHead();
      for (const chunk of chunks) text += latin1(chunk);
      this.written += 1;
      this.#full = !socket.write(text, 'latin1');
      return;
    }
    socket.cork();
    let took = socket.write(this.#takeHead(), 'latin1');
    for (const chunk of chunks) took = this.#write(chunk);
    socket.uncork();
    const wasFull = this.#full;
    this.#full = !took;
    // It was stopped because nothing could be written yet.
    if (wasFull && took && !this.#ended) {
      this.#full = true;
      this.drained();
    }
  }

  /** The head alone, unless it has gone with something. */
  writeHead(): void {
    if (this.#over || this.#head === null) return;
    (this.#socket as Socket).write(this.#takeHead(), 'latin1');
  }

  #write(chunk: Uint8Array): boolean {
    const socket = this.#socket as Socket;
    if (this.#head !== null) {
      this.#writeFirst([chunk]);
      return !this.#full;
    }
    this.written += 1;
    if (this.#length !== null) return socket.write(chunk);
    const size = `${chunk.length.toString(16)}\r\n`;
    if (chunk.length <= JOIN_BYTES) return socket.write(`${size}${latin1(chunk)}\r\n`, 'latin1');
    socket.cork();
    socket.write(size, 'latin1');
    socket.write(chunk);
    const took = socket.write('\r\n', 'latin1');
    socket.uncork();
    return took;
  }

  #finish(last: string): void {
    if (this.#length !== null && this.#bytes !== this.#length) {
      this.#over = true;
      this.#owner.bodyMismatched();
      return;
    }
    this.#over = true;
    if (last !== '') (this.#socket as Socket).write(last, 'latin1');
    this.#owner.uploaded();
  }

  #takeHead(): string {
    const head = this.#head ?? '';
    this.#head = null;
    return head + framing(this.#method, this.#length);
  }
}

function writeHead(upload: Upload): void {
  upload.writeHead();
}

function latin1(chunk: Uint8Array): string {
  return Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length).toString('latin1');
}
