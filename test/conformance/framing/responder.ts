import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { stopAfterTest } from '../../kit/stop.ts';
import type { MalformedResponse } from './responses.ts';

const FINE = 'HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine';

/** An endpoint that gives the prepared answer to one request for `/first`, and `fine` to every other. */
export class Responder {
  #prepared: MalformedResponse | null = null;
  readonly #server: Server;
  readonly #open = new Set<Socket>();

  private constructor() {
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => this.#accept(socket));
  }

  static async start(): Promise<Responder> {
    const responder = new Responder();
    responder.#server.listen(0, '127.0.0.1');
    await once(responder.#server, 'listening');
    stopAfterTest(() => responder.#close());
    return responder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  prepare(response: MalformedResponse): void {
    this.#prepared = response;
  }

  #accept(socket: Socket): void {
    let head = '';
    this.#open.add(socket);
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    socket.on('close', () => this.#open.delete(socket));
    socket.on('data', (chunk: Buffer) => {
      head += chunk.toString('latin1');
      // Every request of these tests is a head alone.
      if (!head.endsWith('\r\n\r\n')) return;
      this.#answer(socket, head);
      head = '';
    });
  }

  #answer(socket: Socket, head: string): void {
    const prepared = this.#prepared;
    if (prepared === null || !/^[A-Z]+ \/first /.test(head)) {
      socket.write(FINE);
      return;
    }
    // A gateway that tries again gets the same again.
    const { bytes, afterwards = 'stay' } = prepared;
    socket.write(bytes, 'latin1', () => {
      if (afterwards === 'end') socket.end();
      else if (afterwards === 'reset') socket.resetAndDestroy();
    });
  }

  async #close(): Promise<void> {
    for (const socket of this.#open) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
