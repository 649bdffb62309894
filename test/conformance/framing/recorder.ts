import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { inTime } from '../../kit/deadline.ts';
import { stopAfterTest } from '../../kit/stop.ts';
import { readStrictly, type StrictRequest } from './strict-requests.ts';

/** An endpoint that records every byte, answers each well-formed request with 200, and says what it could not read. */
export class Recorder {
  /** Over all connections since the last `forget`. */
  readonly requests: StrictRequest[] = [];
  /** What was received and is not a well-formed request. */
  readonly oddities: string[] = [];
  readonly #server: Server;
  readonly #open = new Map<Socket, Buffer>();
  #idle: (() => void)[] = [];

  private constructor() {
    this.#server = createServer({ noDelay: true }, (socket) => this.#accept(socket));
  }

  static async start(): Promise<Recorder> {
    const recorder = new Recorder();
    recorder.#server.listen(0, '127.0.0.1');
    await once(recorder.#server, 'listening');
    stopAfterTest(() => recorder.#close());
    return recorder;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** Begins the next case: connections that are open are closed, and everything recorded is forgotten. */
  async forget(): Promise<void> {
    for (const socket of this.#open.keys()) socket.destroy();
    if (this.#open.size > 0)
      await inTime(new Promise<void>((done) => this.#idle.push(done)), 'the recorder to be idle');
    this.requests.length = 0;
    this.oddities.length = 0;
  }

  /** Bytes that stand after the last complete request, of every open connection. */
  get unfinished(): string {
    return [...this.#open.values()].map((bytes) => bytes.toString('latin1')).join('');
  }

  #accept(socket: Socket): void {
    socket.on('error', () => {});
    this.#open.set(socket, Buffer.alloc(0));
    socket.on('data', (chunk: Buffer) => this.#read(socket, chunk));
    socket.on('close', () => {
      this.#open.delete(socket);
      if (this.#open.size === 0) for (const done of this.#idle.splice(0)) done();
    });
  }

  #read(socket: Socket, chunk: Buffer): void {
    const bytes = Buffer.concat([this.#open.get(socket) ?? Buffer.alloc(0), chunk]);
    try {
      const { requests, rest } = readStrictly(bytes);
      this.#open.set(socket, rest);
      for (const request of requests) {
        this.requests.push(request);
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n${request.method === 'HEAD' ? '' : 'ok'}`);
      }
    } catch (error) {
      this.oddities.push((error as Error).message);
      socket.destroy();
    }
  }

  async #close(): Promise<void> {
    for (const socket of this.#open.keys()) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
