import { connect, type Socket } from 'node:net';
import type { Below } from './resetting-origin.ts';

const BODY = Buffer.alloc(64 * 1024, 'p');

/** What became of the requests of a load. */
export interface PostTally {
  /** By status. */
  readonly statuses: Map<number, number>;
  /** Cut off before the response was through. */
  cut: number;
  /** Numbers of the requests that were answered 200. */
  readonly succeeded: number[];
}

/**
 * Sends `POST /0` to `POST /posts-1`, each once, whatever becomes of it, over that many HTTP/1.1 connections at once. Bodies
 * are up to 2 KiB, one in a hundred up to 64 KiB.
 */
export async function postEach(
  port: number,
  load: { posts: number; connections: number; below: Below },
): Promise<PostTally> {
  const tally: PostTally = { statuses: new Map(), cut: 0, succeeded: [] };
  let next = 0;
  const work = async (): Promise<void> => {
    let client: Client | null = null;
    while (next < load.posts) {
      const id = next;
      next += 1;
      if (client === null || client.isOver) client = new Client(port);
      const length = load.below(load.below(100) === 0 ? BODY.length : 2_048);
      const status = await client.post(id, length);
      if (status === null) tally.cut += 1;
      else tally.statuses.set(status, (tally.statuses.get(status) ?? 0) + 1);
      if (status === 200) tally.succeeded.push(id);
    }
    client?.close();
  };
  await Promise.all(Array.from({ length: load.connections }, work));
  return tally;
}

class Client {
  isOver = false;
  readonly #socket: Socket;
  #pending = '';
  #settle: ((status: number | null) => void) | null = null;

  constructor(port: number) {
    this.#socket = connect({ port, host: '127.0.0.1', noDelay: true });
    this.#socket.setEncoding('latin1');
    this.#socket.on('error', () => {});
    this.#socket.on('data', (text: string) => this.#take(text));
    this.#socket.on('close', () => this.#end());
  }

  /** The status of the response; `null` when the connection ended before that was complete. */
  post(id: number, length: number): Promise<number | null> {
    this.#socket.write(`POST /${id} HTTP/1.1\r\nHost: soak.test\r\nContent-Length: ${length}\r\n\r\n`);
    if (length > 0) this.#socket.write(BODY.subarray(0, length));
    return new Promise((resolve) => {
      this.#settle = resolve;
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #take(text: string): void {
    this.#pending += text;
    const headEnd = this.#pending.indexOf('\r\n\r\n');
    if (headEnd === -1) return;
    const head = this.#pending.slice(0, headEnd);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    if (this.#pending.length < headEnd + 4 + length) return;
    this.#pending = this.#pending.slice(headEnd + 4 + length);
    if (/\r\nconnection: close/i.test(head)) {
      this.isOver = true;
      this.#socket.destroy();
    }
    this.#done(Number(head.slice(9, 12)));
  }

  #end(): void {
    this.isOver = true;
    this.#done(null);
  }

  #done(status: number | null): void {
    const settle = this.#settle;
    this.#settle = null;
    settle?.(status);
  }
}
