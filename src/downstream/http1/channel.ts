import type { Socket } from 'node:net';
import { clientGone, type GatewayError } from '../../errors.ts';
import type { BodySink, BodySource, ByteChannel } from '../../exchange/body.ts';
import type { HeaderList } from '../../http/headers.ts';

/** Bytes that a client may send before its upgrade was accepted; then it is not read any further until it is. */
const EARLY_BYTES = 64 * 1024;

/**
 * The raw connection of an upgrade. It reads from the very start, so that a client that leaves during the handshake is
 * noticed; what it sends before anybody listens is kept, in order, within a bound.
 */
export class SocketChannel implements ByteChannel {
  readonly source: BodySource;
  readonly sink: BodySink;
  bytesIn = 0;
  bytesOut = 0;
  readonly #socket: Socket;
  readonly #onClose: () => void;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #into: BodySink | null = null;
  #paused = false;
  #ended = false;
  #closed = false;

  /** `onEarlyEnd` is called when the client half-closes or leaves before anybody listens; `onClose` when the socket has closed. */
  constructor(socket: Socket, head: Uint8Array, events: { onEarlyEnd: () => void; onClose: () => void }) {
    this.#socket = socket;
    this.#onClose = events.onClose;
    this.source = new ChannelSource(this);
    this.sink = new ChannelSink(this);
    if (head.byteLength > 0) this.#take(head);
    socket.on('data', (chunk: Uint8Array) => this.#take(chunk));
    socket.on('end', () => {
      this.#ended = true;
      if (this.#into === null) events.onEarlyEnd();
      else this.#deliverEnd();
    });
    socket.on('drain', () => this.sink.onDrain?.());
    socket.on('close', () => this.#lost());
  }

  pipe(into: BodySink): void {
    this.#into = into;
    into.onDrain = () => this.#resume();
    this.#deliver();
  }

  unpipe(): void {
    this.#into = null;
    this.#pause();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#socket.destroyed || this.#socket.writableEnded) return true;
    this.bytesOut += chunk.byteLength;
    return this.#socket.write(chunk);
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Uint8Array): void {
    this.bytesIn += chunk.byteLength;
    if (this.#into !== null && this.#early.length === 0 && !this.#paused) {
      if (!this.#into.data(chunk)) this.#pause();
      return;
    }
    this.#early.push(chunk);
    this.#earlyBytes += chunk.byteLength;
    if (this.#earlyBytes >= EARLY_BYTES || this.#into !== null) this.#socket.pause();
  }

  #resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  #deliver(): void {
    while (this.#early.length > 0 && this.#into !== null && !this.#paused) {
      const chunk = this.#early.shift() as Uint8Array;
      this.#earlyBytes -= chunk.byteLength;
      if (!this.#into.data(chunk)) this.#pause();
    }
    if (this.#into === null || this.#paused) return;
    if (this.#ended || this.#closed) this.#deliverEnd();
    else this.#socket.resume();
  }

  #deliverEnd(): void {
    if (this.#into === null || this.#early.length > 0) return;
    const into = this.#into;
    this.#into = null;
    if (this.#ended) into.end(null);
    else into.fail(clientGone());
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#paused = false;
    // Without an end before it, the close is a reset: what was not delivered yet has lost its meaning.
    if (!this.#ended) this.#early = [];
    this.#deliver();
    this.#onClose();
  }
}

class ChannelSource implements BodySource {
  readonly length = null;
  untouched = true;
  readonly #channel: SocketChannel;

  constructor(channel: SocketChannel) {
    this.#channel = channel;
  }

  pipe(into: BodySink): void {
    this.untouched = false;
    this.#channel.pipe(into);
  }

  unpipe(): void {
    this.#channel.unpipe();
  }

  discard(): void {
    this.#channel.destroy();
  }
}

class ChannelSink implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #channel: SocketChannel;

  constructor(channel: SocketChannel) {
    this.#channel = channel;
  }

  data(chunk: Uint8Array): boolean {
    return this.#channel.write(chunk);
  }

  end(_trailers: HeaderList | null): void {
    this.#channel.end();
  }

  fail(_cause: GatewayError): void {
    this.#channel.destroy();
  }
}
