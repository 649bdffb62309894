import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { FloodWriter, SlowReader } from './flow.ts';

export interface Flood {
  readonly total: number;
  /** How many times the reading side stops until the writing side is stuck. */
  readonly pauses: number;
}

/**
 * An endpoint on bare sockets that sends bodies of any size to a GET and drops that of a POST, the last request of
 * its connection. The last of each is at `writer` and `lastUpload`.
 */
export class FloodOrigin {
  writer: FloodWriter | null = null;
  lastUpload: SlowReader | null = null;
  /** What the next requests are about. */
  flood: Flood = { total: 0, pauses: 0 };
  /** Who writes the next upload. */
  uploader: (() => FloodWriter) | null = null;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  static async listen(): Promise<FloodOrigin> {
    const origin = new FloodOrigin();
    await new Promise<void>((resolve) => origin.#server.listen(0, '127.0.0.1', resolve));
    return origin;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    let head = '';
    let reader: SlowReader | null = null;
    socket.on('error', (error) => reader?.fail(error));
    socket.on('data', (chunk) => {
      if (reader !== null) {
        reader.take(chunk.length);
        return;
      }
      head += chunk.toString('latin1');
      const end = head.indexOf('\r\n\r\n');
      if (end === -1) return;
      const rest = head.length - end - 4;
      const method = head.slice(0, head.indexOf(' '));
      head = '';
      if (method === 'GET') this.#download(socket);
      else reader = this.#upload(socket, rest);
    });
  }

  #download(socket: Socket): void {
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${this.flood.total}\r\n\r\n`);
    this.writer = new FloodWriter(socket, this.flood.total);
  }

  #upload(socket: Socket, already: number): SlowReader {
    const { uploader } = this;
    if (uploader === null) throw new Error('Nobody said who uploads');
    const reader = new SlowReader(socket, { ...this.flood, writer: uploader });
    this.lastUpload = reader;
    reader.take(already);
    reader.done.then(
      () => {
        const text = String(reader.received);
        socket.end(`HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: ${text.length}\r\n\r\n${text}`);
      },
      () => socket.destroy(),
    );
    return reader;
  }
}
