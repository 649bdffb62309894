import type { Socket } from 'node:net';
import { type Connections, SWEEP_MS, type Tended } from './connections.ts';
import { type ClientHello, parseClientHello } from './tls/client-hello.ts';

/**
 * Bytes of a connection that are read to find its ClientHello, record headers included. A hello takes 300 bytes to 2 KiB, with
 * post-quantum key shares; 17 KiB have been seen, of several such shares and a large ticket, and that needs two records
 * already. Twice a record's 16 KiB leaves room, and holds 10 000 connections that never finish to 320 MiB.
 */
export const PEEK_BYTES = 32 * 1024;

export type Peeked =
  | Exclude<ClientHello, { kind: 'more' }>
  /** No end of the hello within the bound. */
  | { readonly kind: 'too-large' }
  /** No end of the hello within the time. */
  | { readonly kind: 'too-late' };

export interface PeekOptions {
  readonly connections: Connections;
  /** From now to the end of the hello, 0 for no limit; measured by the sweep of `connections`, so up to a second more. */
  readonly timeoutMs: number;
}

/**
 * Reads ahead on a freshly accepted `socket`, which has an error listener and was admitted, until its first bytes say what they
 * are. Then they are given back to the socket, which is left paused, and `done` is called once, never synchronously.
 * A client that goes before (its FIN counts, since an unfinished hello gets no answer) is let go of, and `done` not called; so is
 * everybody when the listener drains, because nothing was promised yet.
 */
export function peek(socket: Socket, options: PeekOptions, done: (seen: Peeked) => void): void {
  new Peek(socket, options, done).start();
}

class Peek implements Tended {
  readonly #socket: Socket;
  readonly #options: PeekOptions;
  readonly #done: (seen: Peeked) => void;
  readonly #since: number;
  /** Grows by doubling, so that a client that sends byte by byte makes us copy each byte about twice. */
  #kept: Uint8Array = new Uint8Array(0);
  #length = 0;
  #over = false;

  constructor(socket: Socket, options: PeekOptions, done: (seen: Peeked) => void) {
    this.#socket = socket;
    this.#options = options;
    this.#done = done;
    this.#since = options.connections.now;
  }

  start(): void {
    this.#socket.on('readable', this.#onReadable);
    this.#socket.on('end', this.#onGone);
    this.#socket.on('close', this.#onGone);
    // A listener that drains already retires it within this call.
    this.#options.connections.attach(this);
  }

  tend(nowMs: number): void {
    const { timeoutMs } = this.#options;
    if (timeoutMs > 0 && nowMs - this.#since >= timeoutMs + SWEEP_MS) this.#finish({ kind: 'too-late' });
  }

  retire(): void {
    this.#release();
    this.#socket.destroy();
  }

  readonly #onReadable = (): void => {
    for (let chunk = this.#read(); chunk !== null; chunk = this.#read()) this.#keep(chunk);
    if (this.#over || this.#length === 0) return;
    // Within the bound only: what is too large must not depend on how much came at once.
    const seen = parseClientHello(this.#kept.subarray(0, Math.min(this.#length, PEEK_BYTES)));
    if (seen.kind !== 'more') this.#finish(seen);
    else if (this.#length >= PEEK_BYTES) this.#finish({ kind: 'too-large' });
  };

  readonly #onGone = (): void => {
    this.#release();
    this.#socket.destroy();
  };

  #read(): Uint8Array | null {
    return this.#over ? null : (this.#socket.read() as Buffer | null);
  }

  #keep(chunk: Uint8Array): void {
    const length = this.#length + chunk.length;
    if (this.#length === 0) this.#kept = chunk;
    else if (length > this.#kept.length) {
      const grown = new Uint8Array(Math.max(length, 2 * this.#kept.length));
      grown.set(this.#kept.subarray(0, this.#length));
      grown.set(chunk, this.#length);
      this.#kept = grown;
    } else this.#kept.set(chunk, this.#length);
    this.#length = length;
  }

  #finish(seen: Peeked): void {
    this.#release();
    this.#socket.pause();
    if (this.#length > 0) this.#socket.unshift(this.#kept.subarray(0, this.#length));
    this.#done(seen);
  }

  #release(): void {
    this.#over = true;
    this.#options.connections.detach(this);
    this.#socket.removeListener('readable', this.#onReadable);
    this.#socket.removeListener('end', this.#onGone);
    this.#socket.removeListener('close', this.#onGone);
  }
}
