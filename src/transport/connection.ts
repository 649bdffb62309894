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
  /** Never throws: what can't be sent is reported to the flight. `rested`: the socket has been idle, and may be closed by now. */
  dispatch(flight: Flight, rested: boolean): void;
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
  /** When it was made, on the monotonic clock. */
  readonly madeAt: number;
  /** Time of its TCP handshake. */
  readonly roundTripMs: number;
  /** In [0, 1), its own: so that connections that were made together do not end together. */
  readonly chance: number;
  /** How long the endpoint keeps it when idle, by its `Keep-Alive: timeout`; infinite while it has not said so. */
  saidMs = Number.POSITIVE_INFINITY;
  /** Its times in `IdleConnections`, on the monotonic clock: idle since, for any request until, for one that can't be repeated. */
  idleSince = 0;
  usableUntil = 0;
  surelyUntil = 0;
  /** It is idle now. */
  resting = false;
  /** How long it was idle before its present request; 0 for a new one. */
  idledMs = 0;
  readonly #owner: ConnectionOwner;
  #uploads = false;
  #guarded = false;

  constructor(parts: {
    readonly socket: Socket;
    readonly codec: Codec;
    readonly owner: ConnectionOwner;
    readonly preamble: string | null;
    readonly madeAt: number;
    readonly roundTripMs: number;
    readonly chance: number;
  }) {
    const { socket, owner } = parts;
    this.socket = socket;
    this.madeAt = parts.madeAt;
    this.roundTripMs = parts.roundTripMs;
    this.chance = parts.chance;
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

  /** Nothing was asked on it yet, and nobody reads: what comes nevertheless closes it. */
  guard(): void {
    if (this.#guarded || this.served > 0) return;
    this.#guarded = true;
    this.socket.on('readable', this.#unasked);
  }

  /** A request comes next. */
  begin(flight: Flight): void {
    if (this.#guarded) {
      this.#guarded = false;
      this.socket.off('readable', this.#unasked);
    }
    this.codec.dispatch(flight, this.idledMs > 0);
  }

  /** Closes it at once, whatever it is doing. */
  destroy(): void {
    this.socket.destroy();
  }

  /** The codec has closed it by its own decision, after an answer that said `close` for example. */
  get closedByCodec(): boolean {
    return this.error !== null && 'code' in this.error && this.error.code === 'UND_ERR_INFO';
  }

  readonly #unasked = (): void => {
    // Without bytes it is the end, which is only told to who reads.
    if (this.socket.read() !== null) this.destroy();
  };

  readonly #offer = (): void => {
    if (!this.socket.destroyed) this.#owner.idle(this);
  };
}
