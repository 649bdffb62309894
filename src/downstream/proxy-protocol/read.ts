import type { Socket } from 'node:net';
import { type Connections, SWEEP_MS, type Tended } from '../connections.ts';
import { type ProxyHeader, type ProxyRefusal, parseProxyHeader } from './header.ts';

export interface ProxyReading {
  readonly connections: Connections;
  /** From now to the end of the header, 0 for no limit; measured by the sweep of `connections`, so up to a second more. */
  readonly timeoutMs: number;
  /** Called once, never synchronously, unless `refused` is; or neither, when the peer went before it said anything. */
  read(header: ProxyHeader): void;
  /** The connection is closed after this. */
  refused(reason: ProxyRefusal): void;
}

/**
 * Takes the PROXY header off a freshly accepted `socket`, which has an error listener and was admitted. Bytes behind it are
 * given back: to whoever takes the socket then, the connection begins there. A listener that drains closes it instead.
 */
export function readProxyHeader(socket: Socket, reading: ProxyReading): void {
  new Reader(socket, reading).start();
}

class Reader implements Tended {
  readonly #socket: Socket;
  readonly #reading: ProxyReading;
  readonly #since: number;
  /** A header in the making, 4 KiB at most, and what came with its last piece. */
  #kept: Buffer = Buffer.alloc(0);
  #over = false;

  constructor(socket: Socket, reading: ProxyReading) {
    this.#socket = socket;
    this.#reading = reading;
    this.#since = reading.connections.now;
  }

  start(): void {
    this.#socket.on('readable', this.#onReadable);
    this.#socket.on('end', this.#onEnd);
    this.#socket.on('close', this.#onEnd);
    this.#reading.connections.attach(this);
  }

  tend(nowMs: number): void {
    const { timeoutMs } = this.#reading;
    if (timeoutMs > 0 && nowMs - this.#since >= timeoutMs + SWEEP_MS) this.#refuse('proxy-header-timeout');
  }

  retire(): void {
    this.#release();
    this.#socket.destroy();
  }

  readonly #onReadable = (): void => {
    while (!this.#over) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      this.#kept = this.#kept.length === 0 ? chunk : Buffer.concat([this.#kept, chunk]);
      this.#parse();
    }
  };

  #parse(): void {
    const found = parseProxyHeader(this.#kept);
    if (found.kind === 'more') return;
    if (found.kind === 'refused') {
      this.#refuse(found.reason);
      return;
    }
    this.#release();
    if (this.#kept.length > found.length) this.#socket.unshift(this.#kept.subarray(found.length));
    this.#reading.read(found.header);
  }

  readonly #onEnd = (): void => {
    // Connecting and closing again is how load balancers check that somebody listens.
    if (this.#kept.length > 0 && !this.#reading.connections.retiring) this.#refuse('proxy-header-incomplete');
    else this.retire();
  };

  #refuse(reason: ProxyRefusal): void {
    this.#release();
    this.#reading.refused(reason);
    this.#socket.destroy();
  }

  #release(): void {
    this.#over = true;
    this.#reading.connections.detach(this);
    this.#socket.removeListener('readable', this.#onReadable);
    this.#socket.removeListener('end', this.#onEnd);
    this.#socket.removeListener('close', this.#onEnd);
  }
}
