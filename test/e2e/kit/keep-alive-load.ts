import { connect, type Socket } from 'node:net';
import { PATIENCE_MS, within } from './patience.ts';

/** What became of the requests of a load. */
export interface LoadTally {
  answered: number;
  /** Answers that announced the end of their connection. */
  farewells: number;
  /** Connections that were refused because nobody listens any more. */
  refused: number;
  /** Whatever a client could complain about, in words. */
  readonly failures: string[];
}

const REQUEST = 'GET /load HTTP/1.1\r\nHost: load.test\r\n\r\n';

/**
 * Connections that send a GET as soon as the last one is answered, each until it is refused. A connection that closes after
 * `Connection: close`, or between requests, is replaced; one that closes with a request on it, or cuts an answer off, is a failure.
 */
export class KeepAliveLoad {
  readonly tally: LoadTally = { answered: 0, farewells: 0, refused: 0, failures: [] };
  readonly #port: number;
  readonly #workers: Promise<void>[];
  readonly #milestones: { readonly at: number; readonly resolve: () => void }[] = [];
  /** Refused connections are no failure from here on. */
  ending = false;

  constructor(port: number, connections: number) {
    this.#port = port;
    this.#workers = Array.from({ length: connections }, () => this.#work());
  }

  /** Resolves when that many answers have come. */
  reaches(answers: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#milestones.push({ at: answers, resolve });
    return within(promise, `${answers} answers`);
  }

  /** Resolves when every connection was refused. */
  async over(): Promise<LoadTally> {
    await within(Promise.all(this.#workers), 'the load to end', 2 * PATIENCE_MS);
    return this.tally;
  }

  async #work(): Promise<void> {
    for (;;) {
      const connection = await LoadConnection.open(this.#port).catch((error: NodeJS.ErrnoException) => error);
      if (connection instanceof Error) {
        if (this.ending && connection.code === 'ECONNREFUSED') this.tally.refused += 1;
        else this.tally.failures.push(`connect: ${connection.code ?? connection.message}`);
        return;
      }
      for (let open = true; open; ) open = await this.#ask(connection);
      if (this.tally.failures.length > 100) return;
    }
  }

  /** One request. False when the connection is used up. */
  async #ask(connection: LoadConnection): Promise<boolean> {
    if (connection.closed) return false;
    const answer = await connection.ask();
    if (typeof answer === 'string') {
      this.tally.failures.push(answer);
      return false;
    }
    this.tally.answered += 1;
    for (const { at, resolve } of this.#milestones) if (this.tally.answered === at) resolve();
    if (answer.last) this.tally.farewells += 1;
    return !answer.last;
  }
}

interface Answer {
  readonly last: boolean;
}

/** One connection with at most one request on it. */
class LoadConnection {
  closed = false;
  readonly #socket: Socket;
  #received = '';
  #settle: ((answer: Answer | string) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('latin1');
    socket.on('data', (text: string) => this.#take(text));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#lost(error.code ?? error.message));
    socket.on('close', () => this.#lost('closed'));
    socket.on('end', () => this.#lost('closed'));
  }

  static open(port: number): Promise<LoadConnection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new LoadConnection(socket));
      });
    });
  }

  /** Sends a request. Resolves with its answer, or with what went wrong. */
  ask(): Promise<Answer | string> {
    return new Promise((resolve) => {
      this.#received = '';
      this.#settle = resolve;
      this.#socket.write(REQUEST);
    });
  }

  #take(text: string): void {
    this.#received += text;
    const head = this.#received.indexOf('\r\n\r\n');
    if (head === -1) return;
    const length = /\r\ncontent-length: (\d+)\r\n/i.exec(this.#received);
    if (length === null) this.#answer(`an answer without a length: ${this.#received.slice(0, head)}`);
    else if (this.#received.length >= head + 4 + Number(length[1])) this.#complete(this.#received.slice(0, head));
  }

  #complete(head: string): void {
    const status = head.slice(9, 12);
    if (status === '200') this.#answer({ last: /\r\nconnection: close/i.test(head) });
    else this.#answer(`status ${status}`);
  }

  #lost(why: string): void {
    this.closed = true;
    this.#socket.destroy();
    const stage = this.#received === '' ? 'before an answer' : `after ${this.#received.length} bytes of an answer`;
    this.#answer(`${why} ${stage}`);
  }

  #answer(answer: Answer | string): void {
    const settle = this.#settle;
    this.#settle = null;
    if (typeof answer !== 'string' && answer.last) this.#socket.destroy();
    settle?.(answer);
  }
}
