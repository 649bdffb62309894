import { connect, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { ByteReader } from './byte-reader.ts';
import { inTime } from './deadline.ts';
import { type RawResponse, readResponse } from './raw-response.ts';
import { stopAfterTest } from './stop.ts';

export type { RawInterim, RawResponse } from './raw-response.ts';

export interface RawTls {
  /** SNI; none unless given. */
  readonly serverName?: string;
  /** Default `['http/1.1']`. */
  readonly alpn?: readonly string[];
  /** PEM of the certificate to trust; any is trusted unless given. */
  readonly ca?: string;
}

export interface RawClientOptions {
  readonly port: number;
  readonly host?: string;
  /** A Unix socket, in place of host and port. */
  readonly path?: string;
  /** Sent ahead of TLS, piece by piece. */
  readonly preamble?: readonly Uint8Array[];
  readonly tls?: RawTls;
  /** Source address: `127.0.0.2` and the like make one machine several clients. */
  readonly localAddress?: string;
}

/** How the connection ended: `end` is a FIN from the other side, `reset` an RST. */
export type Closed = 'end' | 'reset';

/** A client that sends exactly the bytes it is told to, and shows exactly those that come back. Destroyed after the test. */
export class RawClient {
  readonly socket: Socket;
  /** The TCP socket: under TLS another one. */
  readonly #tcp: Socket;
  readonly #reader: ByteReader;
  readonly #closed: Promise<Closed>;
  #reset: boolean = false;

  private constructor(socket: Socket, tcp: Socket) {
    this.socket = socket;
    this.#tcp = tcp;
    tcp.on('error', () => {});
    this.#reader = new ByteReader(socket);
    this.#closed = new Promise((resolve) => {
      socket.on('error', () => {
        this.#reset = true;
      });
      socket.on('close', () => resolve(this.#reset ? 'reset' : 'end'));
    });
    stopAfterTest(() => socket.destroy());
  }

  static async connect(options: RawClientOptions): Promise<RawClient> {
    const target = { port: options.port, host: options.host ?? '127.0.0.1' };
    const from = options.localAddress === undefined ? {} : { localAddress: options.localAddress };
    const { path } = options;
    const tcp = connect(path === undefined ? { ...target, ...from, noDelay: true } : { path });
    tcp.on('error', () => {});
    if (options.preamble !== undefined) await sendPieces(tcp, options.preamble);
    const socket = options.tls === undefined ? tcp : connectTls({ socket: tcp, ...tlsOptions(options.tls) });
    const client = new RawClient(socket, tcp);
    if (options.tls !== undefined) await inTime(connected(socket, 'secureConnect'), 'a connection');
    else if (tcp.connecting) await inTime(connected(socket, 'connect'), 'a connection');
    return client;
  }

  send(bytes: string | Uint8Array): void {
    if (typeof bytes === 'string') this.socket.write(bytes, 'latin1');
    else this.socket.write(bytes);
  }

  /** Sends, and resolves when the kernel has taken it all. */
  sendAll(bytes: string | Uint8Array): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes, () => resolve());
    return inTime(promise, 'the kernel to take what was sent');
  }

  /** The next response. `method` matters for HEAD alone. */
  response(method = 'GET'): Promise<RawResponse> {
    return inTime(readResponse(this.#reader, method === 'HEAD'), 'a response');
  }

  /** The next `length` bytes as latin1 text. */
  async bytes(length: number): Promise<string> {
    return (await inTime(this.#reader.read(length), `${length} bytes`)).toString('latin1');
  }

  /** Text up to and including `mark`. */
  async until(mark: string): Promise<string> {
    return (await inTime(this.#reader.until(mark), JSON.stringify(mark))).toString('latin1');
  }

  /** Everything until the other side has closed. */
  async rest(): Promise<string> {
    const parts: Buffer[] = [];
    const read = async (): Promise<void> => {
      for (let part = await this.#reader.some(); part !== null; part = await this.#reader.some()) parts.push(part);
    };
    await inTime(read(), 'the end of the connection');
    return Buffer.concat(parts).toString('latin1');
  }

  /** How the connection ended. */
  closed(): Promise<Closed> {
    // Reading goes on, or the end would never be seen.
    this.socket.resume();
    return inTime(this.#closed, 'the connection to close');
  }

  /** Sends a FIN and goes on reading. */
  halfClose(): void {
    this.socket.end();
  }

  /** Sends an RST. */
  reset(): void {
    this.#tcp.resetAndDestroy();
  }

  destroy(): void {
    this.socket.destroy();
  }
}

/** Connects, sends `text`, and resolves with the one response to it. */
export async function exchangeRaw(options: RawClientOptions, text: string): Promise<RawResponse> {
  const client = await RawClient.connect(options);
  client.send(text);
  return client.response(text.slice(0, text.indexOf(' ')));
}

function tlsOptions(tls: RawTls): ConnectionOptions {
  return {
    ALPNProtocols: [...(tls.alpn ?? ['http/1.1'])],
    ...(tls.serverName === undefined ? {} : { servername: tls.serverName }),
    ...(tls.ca === undefined ? { rejectUnauthorized: false } : { ca: tls.ca }),
  };
}

/** The other side is in this process: after a few turns it has most likely read one piece before the next is sent. */
export async function sendPieces(tcp: Socket, pieces: readonly Uint8Array[]): Promise<void> {
  for (const piece of pieces) {
    await new Promise((resolve) => tcp.write(piece, resolve));
    for (let i = 0; i < 3; i += 1) await turn();
  }
}

function connected(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  socket.once(event, resolve);
  socket.once('error', reject);
  socket.once('close', () => reject(new Error('The connection was closed before it was there')));
  return promise;
}
