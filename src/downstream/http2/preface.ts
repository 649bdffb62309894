import type { Socket } from 'node:net';
import { type Connections, RECENT_MS, SWEEP_MS, type Tended } from '../connections.ts';

/** RFC 9113 §3.4. HTTP/1.1 reserves the method for this (RFC 9113 §11.6), so that no request of it begins like that. */
const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

export interface PrefaceOptions {
  readonly connections: Connections;
  /** From the connection's start; measured by the sweep of `connections`. */
  readonly timeoutMs: number;
  /** The protocol is known: everything that was read lies in the socket again. Called at most once. */
  readonly done: (protocol: 'http1' | 'http2') => void;
  /** Nothing came in time, or only the beginning of a preface: the connection is closed. */
  readonly late: (bytesRead: number) => void;
}

/**
 * Finds out whether the client of a freshly accepted plain `socket`, which has an error listener and was admitted, speaks
 * HTTP/2 by prior knowledge (RFC 9113 §3.3). The first octet that is not the preface's decides for HTTP/1.x: for every method but
 * those on P that is the first octet of all. A client that goes before is let go of.
 */
export function awaitPreface(socket: Socket, options: PrefaceOptions): void {
  new Preface(socket, options).start();
}

class Preface implements Tended {
  readonly #socket: Socket;
  readonly #options: PrefaceOptions;
  readonly #since: number;
  /** A beginning of the preface, so at most that long. */
  #matched = 0;
  #retiring = false;
  #over = false;

  constructor(socket: Socket, options: PrefaceOptions) {
    this.#socket = socket;
    this.#options = options;
    this.#since = options.connections.now;
  }

  start(): void {
    this.#socket.on('readable', this.#onReadable);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#release);
    this.#options.connections.attach(this);
  }

  tend(nowMs: number): void {
    const { timeoutMs, late } = this.#options;
    const limit = this.#retiring && this.#matched === 0 ? RECENT_MS : timeoutMs;
    if (nowMs - this.#since < limit + SWEEP_MS) return;
    this.#release();
    if (!this.#retiring) late(this.#matched);
    this.#socket.destroySoon();
  }

  retire(): void {
    // One that is about to send, on a connection that is this new, is served.
    this.#retiring = true;
  }

  readonly #onReadable = (): void => {
    if (this.#over) return;
    for (;;) {
      const chunk: Buffer | null = this.#socket.read();
      if (chunk === null) return;
      const wanted = Math.min(chunk.length, PREFACE.length - this.#matched);
      if (chunk.compare(PREFACE, this.#matched, this.#matched + wanted, 0, wanted) !== 0) {
        this.#decide('http1', chunk);
        return;
      }
      this.#matched += wanted;
      if (this.#matched === PREFACE.length) {
        this.#decide('http2', chunk.subarray(wanted));
        return;
      }
    }
  };

  /** A FIN before there was anything to tell from. Once a socket has ended nothing can be given back to it. */
  readonly #onEnd = (): void => {
    this.#release();
    this.#socket.destroy();
  };

  #decide(protocol: 'http1' | 'http2', rest: Buffer): void {
    const { done } = this.#options;
    this.#release();
    const bytes = this.#matched === 0 ? rest : Buffer.concat([PREFACE.subarray(0, this.#matched), rest]);
    this.#socket.unshift(bytes);
    done(protocol);
  }

  readonly #release = (): void => {
    this.#over = true;
    this.#options.connections.detach(this);
    this.#socket.removeListener('readable', this.#onReadable);
    this.#socket.removeListener('end', this.#onEnd);
    this.#socket.removeListener('close', this.#release);
  };
}
