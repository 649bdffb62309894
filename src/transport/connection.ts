import type { Socket } from 'node:net';
import { ignoreBrokenPipe } from './broken-pipe.ts';
import type { Flight } from './flight.ts';

/** What undici's controller offers to a handler. */
export interface ResponseController {
  readonly rawHeaders?: unknown;
  readonly rawTrailers?: unknown;
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/** Writes requests on one socket and parses its responses, one at a time. Made in `undici.ts`. */
export interface Codec {
  /** Never throws: what can't be sent is reported to the flight. */
  dispatch(flight: Flight): void;
}

export interface ConnectionOwner {
  /** Somebody waits for a connection, or idle ones are not kept. */
  readonly eager: boolean;
  /** The connection can take the next request, unless its socket closes first. */
  idle(connection: Connection): void;
  /** The socket is closed. */
  closed(connection: Connection): void;
}

/** One open socket with its codec. Carries one request at a time. */
export class Connection {
  readonly socket: Socket;
  readonly codec: Codec;
  /** Requests begun on it. */
  served = 0;
  /** The PROXY header that it began with: it may carry requests of that client only. `null` for none. */
  readonly preamble: string | null;
  /** Why the socket failed. Set before the codec hears of it. */
  error: Error | null = null;
  readonly #owner: ConnectionOwner;
  #uploads = false;

  constructor(parts: {
    readonly socket: Socket;
    readonly codec: Codec;
    readonly owner: ConnectionOwner;
    readonly preamble: string | null;
  }) {
    const { socket, owner } = parts;
    this.socket = socket;
    this.codec = parts.codec;
    this.preamble = parts.preamble;
    this.#owner = owner;
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => owner.closed(this));
  }

  /**
   * The request on it is over. Whether the connection can go on (an endpoint that said `close`, a response that outran its
   * request, bytes after the end), the codec decides only when it is through with this call: who waits gets it after that.
   * When nobody waits it lies with the idle ones meanwhile; those are looked at again before they are used.
   */
  release(): void {
    if (this.#owner.eager) queueMicrotask(this.#offer);
    else this.#owner.idle(this);
  }

  /** A request with a body comes next. */
  prepareUpload(): void {
    if (this.#uploads) return;
    this.#uploads = true;
    ignoreBrokenPipe(this.socket);
  }

  /** Closes it at once, whatever it is doing. */
  destroy(): void {
    this.socket.destroy();
  }

  readonly #offer = (): void => {
    if (!this.socket.destroyed) this.#owner.idle(this);
  };
}
