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
  /** The connection can take the next request. */
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
  /** Why the socket failed. Set before the codec hears of it. */
  error: Error | null = null;
  readonly #owner: ConnectionOwner;
  #uploads = false;

  constructor(socket: Socket, codec: Codec, owner: ConnectionOwner) {
    this.socket = socket;
    this.codec = codec;
    this.#owner = owner;
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => owner.closed(this));
  }

  /**
   * The request on it is over. The codec decides within the same turn whether the connection can go on (an endpoint that
   * said `close`, a response that outran its request, bytes after the end), so it is offered again only after that.
   */
  release(): void {
    queueMicrotask(this.#offer);
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
