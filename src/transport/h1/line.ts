import type { Socket } from 'node:net';
import { areLineEnds, ResponseReader } from './response-reader.ts';
import type { ByteTaker, SocketReader } from './socket-reader.ts';

/** Who sends a request on a line. */
export interface LineUser {
  /** The line is good, as far as can be known: the request may be written. */
  begin(): void;
  /** The line was lost before that. */
  lostEarly(): void;
  /** Bytes came. */
  take(bytes: Buffer, length: number): void;
  /** The endpoint sends no more. Returns whether its response ends so. */
  ended(): boolean;
  /** The connection is closed, by `error` or without one. */
  lost(error: Error | null): void;
  /** The socket takes more. */
  drained(): void;
}

export interface LineOwner {
  /** The endpoint spoke although nobody had asked, or ended: it is of no use any more. `unasked`: it spoke. */
  useless(unasked: boolean): void;
}

/** What our own HTTP/1.1 needs of a connection: listeners once per socket, and whose bytes they are at the moment. */
export class Line implements ByteTaker {
  readonly socket: Socket;
  readonly responses: ResponseReader;
  readonly #reader: SocketReader;
  readonly #owner: LineOwner;
  #user: LineUser | null = null;
  #begun = false;
  #isStream = false;

  constructor(parts: {
    readonly socket: Socket;
    readonly reader: SocketReader;
    readonly owner: LineOwner;
    readonly maxHeadBytes: number;
  }) {
    const { socket, reader } = parts;
    this.socket = socket;
    this.responses = new ResponseReader(parts.maxHeadBytes);
    this.#reader = reader;
    this.#owner = parts.owner;
    socket.on('end', this.#onEnd);
    socket.on('drain', this.#onDrain);
    reader.start(socket, this);
  }

  /**
   * Gives the line to `user`. `rested`: it lay idle, so what has happened to it meanwhile is looked for first, in this turn of the
   * event loop. Bytes that were sent to nobody must not become the response to the next request.
   */
  use(user: LineUser, rested: boolean): void {
    this.#user = user;
    this.#begun = false;
    if (rested) waitForPoll(this);
    else this.#begin();
  }

  /** The user is through with it. */
  leave(): void {
    this.#user = null;
    this.#begun = false;
  }

  /** Somebody else speaks on this connection from now on, and it is a stream to them. */
  asStream(): void {
    this.#isStream = true;
    this.socket.off('end', this.#onEnd);
    this.socket.off('drain', this.#onDrain);
    this.#reader.asStream();
  }

  /** Hot. */
  take(bytes: Buffer, length: number): void {
    if (this.#begun) this.#user?.take(bytes, length);
    else if (length === 0 || !areLineEnds(bytes, 0, length)) this.#owner.useless(true);
  }

  /** The socket is closed. */
  closed(error: Error | null): void {
    const user = this.#user;
    if (user === null || this.#isStream) return;
    const begun = this.#begun;
    this.leave();
    if (begun) user.lost(error);
    else user.lostEarly();
  }

  /** After the poll phase. */
  polled(): void {
    if (this.#user !== null && !this.#begun && !this.socket.destroyed) this.#begin();
  }

  #begin(): void {
    this.#begun = true;
    this.#user?.begin();
  }

  readonly #onEnd = (): void => {
    if (!this.#begun) this.#owner.useless(false);
    // How it failed is told when the socket is closed, and its place is free.
    else if (this.#user?.ended() !== true) this.socket.destroy();
  };

  readonly #onDrain = (): void => {
    this.#user?.drained();
  };
}

/** Lines whose sockets are to be looked at before they are used: no more than there are connections. */
let waiting: Line[] = [];

/** One immediate for all requests of a turn: they run after the poll phase that they came in. */
function waitForPoll(line: Line): void {
  if (waiting.push(line) === 1) setImmediate(afterPoll);
}

function afterPoll(): void {
  const lines = waiting;
  waiting = [];
  for (const line of lines) line.polled();
}
