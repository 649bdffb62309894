import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { until } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/** One end of a raw TCP connection, which shows everything that happens to it. Destroyed after the test. */
export class TcpEnd {
  readonly socket: Socket;
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #ended = false;
  #closed: 'end' | 'reset' | null = null;

  constructor(socket: Socket) {
    this.socket = socket;
    let failed = false;
    socket.on('error', () => {
      failed = true;
    });
    socket.on('data', (chunk: Buffer) => {
      this.#chunks.push(chunk);
      this.#length += chunk.length;
    });
    socket.on('end', () => {
      this.#ended = true;
    });
    socket.on('close', () => {
      this.#closed = failed ? 'reset' : 'end';
    });
    stopAfterTest(() => socket.destroy());
  }

  /** Connects to 127.0.0.1; half-open, so that nothing ends but by being told to. */
  static async connect(port: number, localAddress?: string): Promise<TcpEnd> {
    const from = localAddress === undefined ? {} : { localAddress };
    const end = new TcpEnd(connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true, ...from }));
    // Whoever is turned away at once may never see that it was connected.
    await until(() => !end.socket.connecting, 'a connection');
    return end;
  }

  get ended(): boolean {
    return this.#ended;
  }

  get length(): number {
    return this.#length;
  }

  get received(): Buffer {
    return Buffer.concat(this.#chunks);
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Everything received so far, once it is at least so much. */
  async text(length: number): Promise<string> {
    await until(() => this.#length >= length, `${length} bytes`);
    return this.received.toString('latin1');
  }

  /** Everything that came before the other side's FIN. */
  async untilEnd(): Promise<string> {
    await until(() => this.#ended, 'the end');
    return this.received.toString('latin1');
  }

  /** How the connection was closed. */
  async closed(): Promise<'end' | 'reset'> {
    await until(() => this.#closed !== null, 'the connection to close');
    return this.#closed as 'end' | 'reset';
  }
}

/** A raw TCP server that does nothing by itself. Closed after the test. */
export class TcpOrigin {
  /** In the order of their arrival. */
  readonly ends: TcpEnd[] = [];
  readonly #server: Server;
  #port = 0;

  private constructor(allowHalfOpen: boolean) {
    this.#server = createServer({ allowHalfOpen, noDelay: true }, (socket) => this.ends.push(new TcpEnd(socket)));
  }

  /** `allowHalfOpen`: a client's end is not answered with one. */
  static async start(allowHalfOpen = true): Promise<TcpOrigin> {
    const origin = new TcpOrigin(allowHalfOpen);
    origin.#server.listen(0, '127.0.0.1');
    await once(origin.#server, 'listening');
    origin.#port = (origin.#server.address() as AddressInfo).port;
    stopAfterTest(() => {
      origin.#server.close();
      for (const { socket } of origin.ends) socket.destroy();
    });
    return origin;
  }

  get port(): number {
    return this.#port;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  /** Connections that are open. */
  get open(): number {
    return this.ends.filter(({ socket }) => !socket.closed).length;
  }

  /** Listens no more: whoever dials is refused. */
  stop(): void {
    this.#server.close();
  }

  async accepted(index = 0): Promise<TcpEnd> {
    await until(() => this.ends.length > index, `connection ${index} to the origin`);
    return this.ends[index] as TcpEnd;
  }
}
