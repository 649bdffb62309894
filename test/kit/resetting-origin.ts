import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** A number from 0 up to `limit`, without it. */
export type Below = (limit: number) => number;

/** Where a connection is reset: after so many bytes of the request's head or body, of the response, or when it is idle again. */
type Break =
  | { readonly in: 'head'; readonly at: number }
  | { readonly in: 'body'; readonly share: number }
  | { readonly in: 'response'; readonly at: number }
  | { readonly in: 'pause' };

const RESPONSE = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const ID = /^POST \/(\d+) /;

/**
 * An HTTP/1.1 service on two ports for `POST /NUMBER` that resets its connections at any byte of a tenth of the requests, and of the
 * responses to them. Knows each request by its number, and counts also those of which it has seen nothing but a byte.
 */
export class ResettingOrigin {
  /** Requests of which at least one byte came. */
  begun = 0;
  /** Those that came whole. */
  complete = 0;
  resets = 0;
  /** Numbers that came more than once. */
  readonly twice: number[] = [];
  readonly #seen: Uint8Array;
  readonly #whole: Uint8Array;
  readonly #below: Below;
  /** Two, so that a gateway has somewhere to go with what one of them did not take. */
  readonly #servers: readonly Server[];
  readonly #sockets = new Set<Socket>();

  /** For numbers below `posts`. The same `below` gives the same breaks for the same order of events. */
  constructor(posts: number, below: Below) {
    this.#seen = new Uint8Array(posts);
    this.#whole = new Uint8Array(posts);
    this.#below = below;
    this.#servers = [1, 2].map(() => createServer({ noDelay: true }, (socket) => this.#serve(socket)));
  }

  get ports(): number[] {
    return this.#servers.map((server) => (server.address() as AddressInfo).port);
  }

  /** Did request `id` come, whole? */
  has(id: number): boolean {
    return this.#whole[id] === 1;
  }

  async listen(): Promise<void> {
    for (const server of this.#servers) {
      server.listen(0, '127.0.0.1');
      await once(server, 'listening');
    }
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    for (const server of this.#servers) {
      server.close();
      await once(server, 'close');
    }
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
    let pending: Buffer = Buffer.alloc(0);
    let plan: Break | null = null;
    let isBegun = false;
    socket.on('data', (chunk: Buffer) => {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      while (pending.length > 0 && !socket.destroyed) {
        if (!isBegun) {
          isBegun = true;
          this.begun += 1;
          plan = this.#plan();
        }
        const length = this.#take(socket, pending, plan);
        if (length === null) return;
        pending = pending.subarray(length);
        isBegun = false;
      }
    });
  }

  /** Length of the request that `pending` begins with, once it was answered; `null` while it is not, or never will be. */
  #take(socket: Socket, pending: Buffer, plan: Break | null): number | null {
    const headEnd = pending.indexOf('\r\n\r\n') + 4;
    if (plan?.in === 'head' && (pending.length >= plan.at || headEnd > 3)) {
      this.#note(pending.subarray(0, plan.at));
      this.#reset(socket);
      return null;
    }
    if (headEnd === 3) return null;
    const head = pending.toString('latin1', 0, headEnd);
    const bodyLength = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
    const length = headEnd + bodyLength;
    const stop = plan?.in === 'body' ? headEnd + Math.floor(bodyLength * plan.share) : length;
    if (pending.length < stop) return null;
    const id = this.#note(pending.subarray(0, headEnd));
    if (plan?.in === 'body') {
      this.#reset(socket);
      return null;
    }
    this.complete += 1;
    if (id !== null) this.#whole[id] = 1;
    socket.write(plan?.in === 'response' ? RESPONSE.slice(0, plan.at) : RESPONSE);
    if (plan?.in === 'response' || plan?.in === 'pause') this.#reset(socket);
    return length;
  }

  #note(head: Buffer): number | null {
    const digits = ID.exec(head.toString('latin1', 0, 40))?.[1];
    if (digits === undefined) return null;
    const id = Number(digits);
    if (this.#seen[id] !== 0) this.twice.push(id);
    this.#seen[id] = 1;
    return id;
  }

  #reset(socket: Socket): void {
    this.resets += 1;
    socket.resetAndDestroy();
  }

  #plan(): Break | null {
    switch (this.#below(40)) {
      case 0:
        return { in: 'head', at: 1 + this.#below(300) };
      case 1:
        return { in: 'body', share: this.#below(1_001) / 1_000 };
      case 2:
        return { in: 'response', at: this.#below(RESPONSE.length) };
      case 3:
        return { in: 'pause' };
      default:
        return null;
    }
  }
}
