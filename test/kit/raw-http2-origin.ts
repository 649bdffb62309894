import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { inTime } from './deadline.ts';
import { stopAfterTest } from './stop.ts';

/** One frame as received (RFC 9113 §4.1). */
export interface Frame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export const DATA = 0x0;
export const HEADERS = 0x1;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PING = 0x6;
export const GOAWAY = 0x7;

export const END_STREAM = 0x1;
export const END_HEADERS = 0x4;

/** `:status: 200` out of HPACK's static table (RFC 7541 appendix A). */
export const STATUS_200: Buffer = Buffer.from([0x88]);

const PREFACE_BYTES = 24;
const ACK = 0x1;

/** One connection of a client, spoken to frame by frame. SETTINGS are acknowledged by themselves. */
export class RawHttp2Peer {
  readonly socket: Socket;
  readonly frames: Frame[] = [];
  /** Answers PINGs. */
  answersPings = true;
  #buffered: Buffer = Buffer.alloc(0);
  #greeted = false;
  #wake: (() => void)[] = [];

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('error', () => {});
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
  }

  write(type: number, flags: number, stream: number, payload: Uint8Array = Buffer.alloc(0)): void {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    this.socket.write(Buffer.concat([head, payload]));
  }

  /** `[identifier, value]` pairs. */
  settings(...pairs: readonly (readonly [number, number])[]): void {
    const payload = Buffer.alloc(6 * pairs.length);
    pairs.forEach(([id, value], i) => {
      payload.writeUInt16BE(id, 6 * i);
      payload.writeUInt32BE(value, 6 * i + 2);
    });
    this.write(SETTINGS, 0, 0, payload);
  }

  reset(stream: number, code: number): void {
    const payload = Buffer.alloc(4);
    payload.writeUInt32BE(code, 0);
    this.write(RST_STREAM, 0, stream, payload);
  }

  goaway(lastStream: number, code = 0): void {
    const payload = Buffer.alloc(8);
    payload.writeUInt32BE(lastStream, 0);
    payload.writeUInt32BE(code, 4);
    this.write(GOAWAY, 0, 0, payload);
  }

  /** The `n`th frame of `type`, counted from 0. */
  async frame(type: number, n = 0): Promise<Frame> {
    for (;;) {
      const found = this.frames.filter((frame) => frame.type === type)[n];
      if (found !== undefined) return found;
      await inTime(new Promise<void>((wake) => this.#wake.push(wake)), `frame ${n} of type ${type}`);
    }
  }

  #take(chunk: Buffer): void {
    this.#buffered = Buffer.concat([this.#buffered, chunk]);
    if (!this.#greeted && this.#buffered.length >= PREFACE_BYTES) {
      this.#greeted = true;
      this.#buffered = this.#buffered.subarray(PREFACE_BYTES);
    }
    while (this.#greeted && this.#buffered.length >= 9) {
      const length = this.#buffered.readUIntBE(0, 3);
      if (this.#buffered.length < 9 + length) break;
      this.#note({
        type: this.#buffered.readUInt8(3),
        flags: this.#buffered.readUInt8(4),
        stream: this.#buffered.readUInt32BE(5),
        payload: this.#buffered.subarray(9, 9 + length),
      });
      this.#buffered = this.#buffered.subarray(9 + length);
    }
  }

  #note(frame: Frame): void {
    if (frame.type === SETTINGS && frame.flags === 0) this.write(SETTINGS, ACK, 0);
    if (frame.type === PING && frame.flags === 0 && this.answersPings) this.write(PING, ACK, 0, frame.payload);
    this.frames.push(frame);
    for (const wake of this.#wake.splice(0)) wake();
  }
}

/** An HTTP/2 endpoint without TLS whose every frame is the test's. */
export interface RawHttp2Origin {
  readonly port: number;
  readonly peers: readonly RawHttp2Peer[];
  /** The `n`th connection, counted from 0. */
  peer(n?: number): Promise<RawHttp2Peer>;
}

export async function rawHttp2Origin(): Promise<RawHttp2Origin> {
  const peers: RawHttp2Peer[] = [];
  let wake: (() => void)[] = [];
  const server = createServer((socket) => {
    peers.push(new RawHttp2Peer(socket));
    for (const each of wake.splice(0)) each();
    wake = [];
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  stopAfterTest(() => {
    for (const { socket } of peers) socket.destroy();
    server.close();
  });
  return {
    port: (server.address() as AddressInfo).port,
    peers,
    peer: async (n = 0) => {
      for (;;) {
        const found = peers[n];
        if (found !== undefined) return found;
        await inTime(new Promise<void>((resolve) => wake.push(resolve)), `connection ${n} of a raw HTTP/2 origin`);
      }
    },
  };
}
