import { connect } from 'node:net';

/** What became of one connection of a load. */
export interface LoadConnection {
  /** Of the order in which they were opened. */
  readonly id: number;
  /** Before this many kills it was connected. */
  readonly openedAt: number;
  answered: number;
  /** Why it ended with a request on it, or could not be opened; `null` for neither. */
  failure: string | null;
}

/**
 * Clients of a gateway whose workers are killed. Half of them keep their connection until it breaks, half open one for each request.
 * A connection that breaks while a request is on it has failed; whoever is told so goes on with another.
 */
export class WorkerLoad {
  readonly connections: LoadConnection[] = [];
  answered = 0;
  /** Raised by whoever kills. */
  kills = 0;
  readonly #port: number;
  readonly #clients: readonly Promise<void>[];
  #running = true;

  constructor(port: number, clients: number) {
    this.#port = port;
    this.#clients = Array.from({ length: clients }, (_, index) => this.#client(index % 2 === 0));
  }

  get failed(): readonly LoadConnection[] {
    return this.connections.filter(({ failure }) => failure !== null);
  }

  /** Those that were open at the kill of that number and have failed, and those that could not even be opened. */
  async stop(): Promise<void> {
    this.#running = false;
    await Promise.all(this.#clients);
  }

  async #client(keeps: boolean): Promise<void> {
    while (this.#running) {
      const record: LoadConnection = {
        id: this.connections.length,
        openedAt: this.kills,
        answered: 0,
        failure: null,
      };
      this.connections.push(record);
      await this.#connection(record, keeps);
    }
  }

  #connection(record: LoadConnection, keeps: boolean): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    let asked = false;
    let received = '';
    const end = (why: string): void => {
      if (asked && record.failure === null) record.failure = why;
      socket.destroy();
      resolve();
    };
    const ask = (): void => {
      received = '';
      asked = true;
      socket.write(`GET /${record.id} HTTP/1.1\r\nHost: load.test\r\n\r\n`);
    };
    socket.setEncoding('latin1');
    socket.on('connect', ask);
    socket.on('data', (text: string) => {
      received += text;
      if (!isWhole(received)) return;
      asked = false;
      record.answered += 1;
      this.answered += 1;
      if (!received.startsWith('HTTP/1.1 200 ')) record.failure = received.slice(0, 64);
      const last = /\r\nconnection: close\r\n/i.test(received);
      if (keeps && this.#running && record.failure === null && !last) ask();
      else end('');
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      // Not even connected.
      if (socket.connecting || (record.answered === 0 && !asked)) record.failure = `connect: ${error.code}`;
      end(error.code ?? error.message);
    });
    socket.on('close', () => end('closed'));
    return promise;
  }
}

function isWhole(text: string): boolean {
  const head = text.indexOf('\r\n\r\n');
  const length = /\r\ncontent-length: (\d+)\r\n/i.exec(text.slice(0, head + 2));
  return head !== -1 && length !== null && text.length >= head + 4 + Number(length[1]);
}
