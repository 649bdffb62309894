import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { inTime } from './deadline.ts';
import { ACK, PREFACE, ping, settings, settingsAck, TYPE } from './h2-frames.ts';
import { stopAfterTest } from './stop.ts';

/** A frame as it came. */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export interface FrameClientOptions {
  readonly port: number;
  /** Default true. */
  readonly tls?: boolean;
  /** Source address: `127.0.0.2` and the like make one machine several clients. */
  readonly localAddress?: string;
}

/** An HTTP/2 client that sends exactly the octets it is told to, and knows nothing of streams. Destroyed after the test. */
export class FrameClient {
  readonly socket: Socket;
  /** Every frame so far. */
  readonly frames: Frame[] = [];
  closed = false;
  #rest: Buffer = Buffer.alloc(0);
  readonly #waiting: (() => void)[] = [];
  readonly #tcp: Socket;
  #pings = 0;

  private constructor(socket: Socket, tcp: Socket) {
    this.socket = socket;
    this.#tcp = tcp;
    tcp.on('error', () => {});
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    const ended = () => {
      this.closed = true;
      this.#wake();
    };
    socket.on('end', ended);
    socket.on('close', ended);
    stopAfterTest(() => socket.destroy());
  }

  /** A connection on which nothing was sent yet. */
  static async dial(options: FrameClientOptions): Promise<FrameClient> {
    const from = options.localAddress === undefined ? {} : { localAddress: options.localAddress };
    const tcp = connect({ port: options.port, host: '127.0.0.1', noDelay: true, ...from });
    const secure = options.tls !== false;
    const socket = secure ? connectTls({ socket: tcp, ALPNProtocols: ['h2'], rejectUnauthorized: false }) : tcp;
    const client = new FrameClient(socket, tcp);
    await inTime(once(socket, secure ? 'secureConnect' : 'connect'), 'a connection');
    return client;
  }

  /** A connection after the exchange of settings. */
  static async connect(options: FrameClientOptions, own: Buffer = settings()): Promise<FrameClient> {
    const client = await FrameClient.dial(options);
    client.send(PREFACE, own);
    await client.frame((frame) => frame.type === TYPE.settings && (frame.flags & ACK) === 0);
    client.send(settingsAck);
    await client.frame((frame) => frame.type === TYPE.settings && (frame.flags & ACK) !== 0);
    return client;
  }

  send(...parts: readonly Uint8Array[]): void {
    if (this.socket.writable) this.socket.write(Buffer.concat(parts));
  }

  /** Sends, and resolves when the kernel has taken it all or the connection is gone. */
  async sendAll(...parts: readonly Uint8Array[]): Promise<void> {
    if (!this.socket.writable) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.socket.once('close', resolve);
    this.socket.write(Buffer.concat(parts), () => resolve());
    await inTime(promise, 'the kernel to take what was sent');
    this.socket.removeListener('close', resolve);
  }

  /** The first frame like this, of those that have come or will. Fails when the connection closes without one. */
  async frame(like: (frame: Frame) => boolean): Promise<Frame> {
    for (;;) {
      const found = this.frames.find(like);
      if (found !== undefined) return found;
      if (this.closed) throw new Error(`The connection was closed after ${JSON.stringify(this.frames.map(brief))}`);
      await this.#more('a frame');
    }
  }

  /** Resolves when everything sent so far was read: with `true` when a PING behind it is answered, `false` when the connection closed. */
  async alive(): Promise<boolean> {
    this.#pings += 1;
    const mark = String(this.#pings).padStart(8, '0');
    this.send(ping(mark));
    const isAnswer = (frame: Frame) => frame.type === TYPE.ping && (frame.flags & ACK) !== 0 && is(frame, mark);
    while (!this.closed) {
      if (this.frames.some(isAnswer)) return true;
      await this.#more('the answer to a PING');
    }
    return false;
  }

  /** Error code of the last GOAWAY once the connection has closed; `null` when there was none. */
  async goodbye(): Promise<number | null> {
    while (!this.closed) await this.#more('the end of the connection');
    return this.goaway;
  }

  /** Error code of the last GOAWAY so far. */
  get goaway(): number | null {
    const last = this.frames.findLast((frame) => frame.type === TYPE.goaway);
    return last === undefined ? null : last.payload.readUInt32BE(4);
  }

  /** Error code of the RST_STREAM of this stream, as soon as it is there. */
  async resetOf(stream: number): Promise<number> {
    const found = await this.frame((frame) => frame.type === TYPE.reset && frame.stream === stream);
    return found.payload.readUInt32BE(0);
  }

  /** Sends an RST on the connection. */
  abort(): void {
    this.#tcp.resetAndDestroy();
  }

  #take(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk]);
    while (this.#rest.length >= 9) {
      const length = this.#rest.readUIntBE(0, 3);
      if (this.#rest.length < 9 + length) break;
      const [type = 0, flags = 0] = this.#rest.subarray(3, 5);
      const stream = this.#rest.readUInt32BE(5) % 2 ** 31;
      this.frames.push({ type, flags, stream, payload: this.#rest.subarray(9, 9 + length) });
      this.#rest = this.#rest.subarray(9 + length);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  async #more(what: string): Promise<void> {
    await inTime(new Promise<void>((resolve) => this.#waiting.push(resolve)), what);
  }
}

function is(frame: Frame, mark: string): boolean {
  return frame.payload.toString('latin1') === mark;
}

function brief({ type, flags, stream, payload }: Frame): string {
  return `${type}/${flags}/${stream}: ${payload.toString('hex', 0, 16)}`;
}
