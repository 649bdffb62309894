import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { GatewayError } from '../../errors.ts';
import type { ResponseHead, ResponseSink } from '../../exchange/response-sink.ts';
import type { HeaderList } from '../../http/headers.ts';
import { headBlock } from '../http1/head-block.ts';
import type { ResponseOwner } from '../http1/response.ts';
import { type HeadText, headText, type Opening, trailerText } from './head-text.ts';
import { type KeptText, keptText } from './kept-text.ts';

/** Up to here body bytes are written as text, with the head or with each other in one write. Larger ones cost more to copy than that saves. */
const ONE_WRITE_BYTES = 8 * 1024;

/** What is said in place of a head that can't be sent. */
const badHead: HeaderList = Object.freeze([
  'Content-Length',
  '0',
  'Proxy-Status',
  'headgate; error=http_protocol_error',
]);

/**
 * Writes one HTTP/1.1 response to a socket: what Node's ServerResponse and `Http1Sink` write, byte for byte, without either.
 * Hot. Never throws: a head that can't be sent becomes a 502, anything that fails later destroys the connection, which is the
 * only visible truncation. Holds at most 8 KiB, and no longer than until the end of the tick.
 */
export class LaneSink implements ResponseSink {
  phase: 'open' | 'started' | 'closed' = 'open';
  unsendable = false;
  /** The head said `Connection: close`: no request is answered on this connection after it. */
  last = false;
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  /** Body bytes given to the connection so far. */
  bytesOut = 0;
  readonly #socket: Socket;
  readonly #owner: ResponseOwner;
  /** HEAD, 204 and 304: whatever body is given is not sent (RFC 9110 §6.4.1). */
  #bodyless: boolean;
  /** Announced by Content-Length, or -1. */
  #announced = -1;
  #chunked = false;
  /** The head, until it is written: usually with the body's first bytes. */
  #head = '';
  /** Small chunks of this tick, as text: they go out as one chunk. */
  #chunks = '';
  /** `true` came back false, and nobody was told yet that there is room again. */
  #full = false;
  #ticking = false;
  #ended = false;
  /** A callback of the socket's will tell when the last bytes were handed on. */
  #awaited = false;
  #told = false;
  #over = false;

  constructor(socket: Socket, owner: ResponseOwner, bodyless: boolean) {
    this.#socket = socket;
    this.#owner = owner;
    this.#bodyless = bodyless;
  }

  informational(status: number, headers: HeaderList): void {
    if (this.phase !== 'open' || status === 101 || status < 100 || status > 199) return;
    const socket = this.#socket;
    if (!socket.writable) return;
    const block = headBlock(status, headers);
    if (block !== null) socket.write(block, 'latin1');
  }

  start(head: ResponseHead): void {
    if (this.phase !== 'open') return;
    this.phase = 'started';
    // A head must not wait for its body (event streams), but usually the body's first bytes come within this very tick,
    // and then head and bytes go out in one write.
    if (this.#compose(head, -1, keptText(head)?.opening)) this.#later();
  }

  respond(head: ResponseHead, body: Uint8Array | null): void {
    if (this.phase !== 'open') return;
    this.phase = 'started';
    const length = body === null ? 0 : body.byteLength;
    const kept = length <= ONE_WRITE_BYTES ? keptText(head) : null;
    if (kept !== null) this.#respondAgain(head, body, kept);
    else if (this.#compose(head, lengthToTell(head.status, length))) this.#respondWith(body);
  }

  /** What the kernel has not taken lies in the socket's buffer, as it was given. */
  get letsGo(): boolean {
    const socket = this.#socket;
    // TLS never hands on within the write.
    return socket.writableLength === 0 && !(socket instanceof TLSSocket);
  }

  data(chunk: Uint8Array): boolean {
    if (this.phase !== 'started' || this.#bodyless) return true;
    const size = chunk.byteLength;
    this.bytesOut += size;
    // More than was announced, after all of that: `end` cuts the connection.
    if (this.#ended) return true;
    if (this.#chunked) return this.#chunk(chunk);
    if (this.#head === '') return this.#verdict(this.#socket.writable && this.#socket.write(chunk));
    const head = this.#takeHead();
    if (size > ONE_WRITE_BYTES) return this.#verdict(this.#writeParts(head, chunk, ''));
    if (size !== this.#announced) return this.#verdict(this.#write(head + latin1Of(chunk)));
    // All of it: whether the response is over does not wait for the end to be told.
    this.#writeLast(head + latin1Of(chunk));
    this.#ended = true;
    this.#later();
    return true;
  }

  end(trailers: HeaderList | null): void {
    if (this.phase !== 'started') return;
    if (this.#announced !== -1 && !this.#bodyless && this.bytesOut !== this.#announced) {
      // Fewer bytes than announced would leave the client waiting, more would be read as the next response.
      this.#destroy();
      return;
    }
    if (this.#chunked) {
      const trailer = trailers === null ? '' : trailerText(trailers);
      if (trailer === null) {
        this.#destroy();
        return;
      }
      this.#writeLast(`${this.#takeHead()}${this.#takeChunks()}0\r\n${trailer}\r\n`);
    } else if (this.#head !== '') {
      this.#writeLast(this.#takeHead());
    }
    this.#finish();
  }

  fail(_cause: GatewayError): void {
    if (this.phase === 'closed') return;
    this.#destroy();
  }

  /** The socket's buffer is empty again. */
  drained(): void {
    if (!this.#full) return;
    this.#full = false;
    if (this.onDrain !== null && this.phase === 'started') this.onDrain();
  }

  connectionClosed(): void {
    this.#closed(false);
  }

  /** The end of the tick in which something was begun: what was held goes out, and what is over is told to be. */
  tick(): void {
    this.#ticking = false;
    if (this.#over) return;
    if (this.phase === 'started' && !this.#ended && (this.#head !== '' || this.#chunks !== '')) {
      if (!this.#write(this.#takeHead() + this.#takeChunks())) this.#full = true;
    }
    if (this.#ended && !this.#awaited) this.#settle();
  }

  #respondWith(body: Uint8Array | null): void {
    const head = this.#takeHead();
    if (body === null || this.#bodyless) {
      this.#writeLast(head);
    } else {
      this.bytesOut = body.byteLength;
      if (body.byteLength <= ONE_WRITE_BYTES) this.#writeLast(head + latin1Of(body));
      else this.#writeParts(head, body, '');
    }
    this.#finish();
  }

  /** A response like others before it: its text may be there already. */
  #respondAgain(head: ResponseHead, body: Uint8Array | null, kept: KeptText): void {
    const { status, headers } = head;
    const bytes = this.#bodyless || status === 304 ? null : body;
    // What HEAD gets has the fields of another response and not its end.
    const repeats = (bytes !== null || status === 304) && this.#owner.keepsAlive();
    let text = repeats ? kept.again(headers, bytes) : '';
    if (text === '') {
      const length = body === null ? 0 : body.byteLength;
      if (!this.#compose(head, lengthToTell(status, length), kept.opening)) return;
      text = bytes === null ? this.#takeHead() : this.#takeHead() + latin1Of(bytes);
      if (repeats) kept.sent(headers, bytes, text);
    }
    if (bytes !== null) this.bytesOut = bytes.byteLength;
    this.#writeLast(text);
    this.#finish();
  }

  #compose(head: ResponseHead, length: number, opening: Opening | null = null): boolean {
    const { status } = head;
    if (status === 204 || status === 304 || status < 200) this.#bodyless = true;
    const keepAlive = this.#owner.keepsAlive();
    const made = headText(status, head.headers, { bodyless: this.#bodyless, keepAlive, length, opening });
    if (made === null) {
      this.#unsendable();
      return false;
    }
    this.last = !keepAlive;
    this.#head = made.text;
    this.#announced = made.announced;
    this.#chunked = made.chunked;
    return true;
  }

  #unsendable(): void {
    this.unsendable = true;
    this.last = true;
    const bare = headText(502, badHead, { bodyless: true, keepAlive: false, length: -1, opening: null }) as HeadText;
    this.#writeLast(bare.text);
    this.#finish();
  }

  #takeHead(): string {
    const head = this.#head;
    this.#head = '';
    return head;
  }

  #takeChunks(): string {
    const chunks = this.#chunks;
    if (chunks === '') return '';
    this.#chunks = '';
    return `${chunks.length.toString(16)}\r\n${chunks}\r\n`;
  }

  #chunk(chunk: Uint8Array): boolean {
    const size = chunk.byteLength;
    if (size + this.#chunks.length <= ONE_WRITE_BYTES) {
      this.#chunks += latin1Of(chunk);
      this.#later();
      return this.#verdict(!this.#socket.writableNeedDrain);
    }
    const before = `${this.#takeHead()}${this.#takeChunks()}${size.toString(16)}\r\n`;
    return this.#verdict(this.#writeParts(before, chunk, '\r\n'));
  }

  #verdict(room: boolean): boolean {
    if (!room) this.#full = true;
    return room;
  }

  #write(text: string): boolean {
    return this.#socket.writable && this.#socket.write(text, 'latin1');
  }

  /** Large bytes are not copied: one `writev` of text, bytes and text. */
  #writeParts(before: string, bytes: Uint8Array, after: string): boolean {
    const socket = this.#socket;
    if (!socket.writable) return false;
    socket.cork();
    socket.write(before, 'latin1');
    socket.write(bytes);
    if (after !== '') socket.write(after, 'latin1');
    socket.uncork();
    // More than its mark was put into it, but nothing is left there.
    return socket.writableLength === 0 || !socket.writableNeedDrain;
  }

  #writeLast(text: string): void {
    const socket = this.#socket;
    // The client has ended its side, and with it ours: nothing of this is sent, as the connection's close will tell.
    if (!socket.writable) {
      this.#awaited = true;
      return;
    }
    // TLS never hands on within the write.
    if (socket instanceof TLSSocket) {
      this.#awaited = true;
      socket.write(text, 'latin1', (error) => this.#handedOn(error));
    } else {
      socket.write(text, 'latin1');
    }
  }

  #finish(): void {
    this.phase = 'closed';
    this.#ended = true;
    if (!this.#socket.writable) this.#awaited = true;
    this.#later();
    this.#tellEnded();
  }

  /** Never within the call that ended it: whoever made that has not returned to its own senses yet. */
  #later(): void {
    if (this.#ticking) return;
    this.#ticking = true;
    process.nextTick(tick, this);
  }

  #settle(): void {
    const socket = this.#socket;
    if (socket.errored !== null) return;
    if (socket.writableLength === 0) {
      this.#closed(true);
    } else if (socket.writable) {
      this.#awaited = true;
      // Behind everything that waits, as Node's own ServerResponse does it.
      socket.write('', 'latin1', (error) => this.#handedOn(error));
    }
  }

  #handedOn(error: Error | null | undefined): void {
    // With an error the connection closes, which is told on its own.
    if (error === null || error === undefined) this.#closed(true);
  }

  #closed(complete: boolean): void {
    if (this.#over) return;
    this.#over = true;
    this.phase = 'closed';
    if (complete) this.#tellEnded();
    this.#owner.responseClosed(complete);
    if (this.onClose !== null) this.onClose();
  }

  #tellEnded(): void {
    if (this.#told) return;
    this.#told = true;
    this.#owner.responseEnded();
  }

  #destroy(): void {
    this.phase = 'closed';
    this.#socket.destroy();
  }
}

/** `Content-Length` is what keeps a response to one write and the connection alive; 204 and 304 have none of their own. */
function lengthToTell(status: number, length: number): number {
  return status === 204 || status === 304 ? -1 : length;
}

function tick(sink: LaneSink): void {
  sink.tick();
}

function latin1Of(bytes: Uint8Array): string {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return buffer.toString('latin1');
}
