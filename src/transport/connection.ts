import type { Socket } from 'node:net';
import { ignoreBrokenPipe } from './broken-pipe.ts';
import type { Line } from './h1/line.ts';
import type { UndiciFlight } from './undici-flight.ts';

/** What undici's controller offers to a handler. */
export interface ResponseController {
  readonly rawHeaders?: unknown;
  readonly rawTrailers?: unknown;
  abort(reason: Error): void;
  pause(): void;
  resume(): void;
}

/** undici on one socket: writes requests and parses their responses, one at a time. Made in `undici.ts`. */
export interface Codec {
  /** Never throws: what can't be sent is reported to the flight. `rested`: the socket has been idle, and may be closed by now. */
  dispatch(flight: UndiciFlight, rested: boolean): void;
}

export interface ConnectionOwner {
  /** Somebody waits for a connection, or idle ones are not kept. */
  readonly eager: boolean;
  /** The connection can take the next request, unless its socket closes first. */
  idle(connection: Connection): void;
  /** The socket is closed. */
  closed(connection: Connection): void;
}

/**
 * One open socket. Carries one request at a time, spoken by our own HTTP/1.1 on `line`, or by undici: on a connection that has no
 * line always, otherwise for what only undici can do. A connection that it has had stays its own.
 */
export class Connection {
  readonly socket: Socket;
  readonly line: Line | null;
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
  readonly #codecFor: (socket: Socket) => Codec;
  #codec: Codec | null = null;
  #uploads = false;
  #guarded = false;
  #closed = false;

  constructor(parts: {
    readonly socket: Socket;
    /** `null`: everything goes by undici. */
    readonly lineFor: ((connection: Connection) => Line) | null;
    readonly codecFor: (socket: Socket) => Codec;
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
    this.preamble = parts.preamble;
    this.#owner = owner;
    this.#codecFor = parts.codecFor;
    this.line = parts.lineFor === null ? null : parts.lineFor(this);
    if (this.line === null) this.#codec = parts.codecFor(socket);
    socket.on('error', (error) => {
      this.error = error;
    });
    socket.on('close', () => {
      owner.closed(this);
      this.line?.closed(this.error);
    });
  }

  /**
   * The request on it is over. Whether the connection can go on (an endpoint that said `close`, a response that outran its
   * request, bytes after the end), the codec decides only when it is through with this call: who waits gets it after that.
   * When nobody waits it lies with the idle ones meanwhile; those are looked at again before they are used.
   */
  release(): void {
    // Its owner is about to hear of it.
    if (this.socket.destroyed) return;
    // A stream to undici, and nobody's line any more.
    if (this.line !== null && this.#codec !== null) this.destroy();
    else if (this.#owner.eager) queueMicrotask(this.#offer);
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
    if (this.line !== null || this.#guarded || this.served > 0) return;
    this.#guarded = true;
    this.socket.on('readable', this.#unasked);
  }

  /** It had been idle, or has carried a request before. */
  get used(): boolean {
    return this.served > 0 || this.idledMs > 0;
  }

  /** A request comes next, by undici. */
  begin(flight: UndiciFlight): void {
    if (this.#guarded) {
      this.#guarded = false;
      this.socket.off('readable', this.#unasked);
    }
    if (this.#codec === null) {
      this.line?.asStream();
      this.#codec = this.#codecFor(this.socket);
    }
    this.#codec.dispatch(flight, this.idledMs > 0);
  }

  /** Closes it at once, whatever it is doing. */
  destroy(): void {
    this.#closed = true;
    this.socket.destroy();
  }

  /** The endpoint has spoken to nobody on it, or ended it (`unasked` is false). */
  useless(unasked: boolean): void {
    if (unasked) this.#closed = true;
    this.socket.destroy();
  }

  /** Closed by our own decision, after an answer that said `close` for example. */
  get closedByUs(): boolean {
    return this.#closed || (this.error !== null && 'code' in this.error && this.error.code === 'UND_ERR_INFO');
  }

  readonly #unasked = (): void => {
    // Without bytes it is the end, which is only told to who reads.
    if (this.socket.read() !== null) this.destroy();
  };

  readonly #offer = (): void => {
    if (!this.socket.destroyed) this.#owner.idle(this);
  };
}
