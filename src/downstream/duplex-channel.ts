import type { Duplex } from 'node:stream';
import { clientGone, type GatewayError } from '../errors.ts';
import type { BodySink, BodySource, ByteChannel } from '../exchange/body.ts';
import type { HeaderList } from '../http/headers.ts';

/** Bytes that a client may send before its upgrade was accepted; then it is not read any further until it is. */
const EARLY_BYTES = 64 * 1024;

export interface ChannelEvents {
  /** The client half-closed or left before anybody listened. */
  onEarlyEnd(): void;
  /** The stream has closed. */
  onClose(): void;
  /** At the stream's `end`: was it the client who ended it? */
  isCleanEnd(): boolean;
  /** Makes a failure visible to the client: nothing may look like a clean end. */
  reset(): void;
  /** Why the stream closed before its end; by default because the client is gone. */
  lost?(): GatewayError;
}

/**
 * The raw bytes of an upgrade: a connection of its own, or one HTTP/2 stream. It reads from the very start, so that a client that leaves during the handshake is
 * noticed; what it sends before anybody listens is kept, in order, within a bound.
 */
export class DuplexChannel implements ByteChannel {
  readonly source: BodySource;
  readonly sink: BodySink;
  bytesIn = 0;
  bytesOut = 0;
  readonly #stream: Duplex;
  readonly #events: ChannelEvents;
  #early: Uint8Array[] = [];
  #earlyBytes = 0;
  #into: BodySink | null = null;
  #paused = false;
  #ended = false;
  #closed = false;

  /** `head`: bytes that were read with the request already. */
  constructor(stream: Duplex, head: Uint8Array, events: ChannelEvents) {
    this.#stream = stream;
    this.#events = events;
    this.source = new ChannelSource(this);
    this.sink = new ChannelSink(this);
    if (head.byteLength > 0) this.#take(head);
    stream.on('data', (chunk: Uint8Array) => this.#take(chunk));
    stream.on('end', () => {
      if (!events.isCleanEnd()) return;
      this.#ended = true;
      if (this.#into === null) events.onEarlyEnd();
      else this.#deliverEnd();
    });
    stream.on('drain', () => this.sink.onDrain?.());
    stream.on('close', () => this.#lost());
  }

  pipe(into: BodySink): void {
    this.#into = into;
    const resume = (): void => this.#resume();
    into.onDrain = resume;
    this.#deliver();
  }

  unpipe(): void {
    this.#into = null;
    this.#pause();
  }

  write(chunk: Uint8Array): boolean {
    if (this.#stream.destroyed || this.#stream.writableEnded) return true;
    this.bytesOut += chunk.byteLength;
    return this.#stream.write(chunk);
  }

  end(): void {
    if (!this.#stream.destroyed) this.#stream.end();
  }

  destroy(): void {
    this.#events.reset();
  }

  #take(chunk: Uint8Array): void {
    this.bytesIn += chunk.byteLength;
    if (this.#into !== null && this.#early.length === 0 && !this.#paused) {
      if (!this.#into.data(chunk)) this.#pause();
      return;
    }
    this.#early.push(chunk);
    this.#earlyBytes += chunk.byteLength;
    if (this.#earlyBytes >= EARLY_BYTES || this.#into !== null) this.#stream.pause();
  }

  #resume(): void {
    this.#paused = false;
    this.#deliver();
  }

  #pause(): void {
    this.#paused = true;
    this.#stream.pause();
  }

  #deliver(): void {
    while (this.#early.length > 0 && this.#into !== null && !this.#paused) {
      const chunk = this.#early.shift() as Uint8Array;
      this.#earlyBytes -= chunk.byteLength;
      if (!this.#into.data(chunk)) this.#pause();
    }
    if (this.#into === null || this.#paused) return;
    if (this.#ended || this.#closed) this.#deliverEnd();
    else this.#stream.resume();
  }

  #deliverEnd(): void {
    if (this.#into === null || this.#early.length > 0) return;
    const into = this.#into;
    this.#into = null;
    if (this.#ended) into.end(null);
    else into.fail(this.#events.lost?.() ?? clientGone());
  }

  #lost(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#paused = false;
    // Without an end before it, the close is a reset: what was not delivered yet has lost its meaning.
    if (!this.#ended) this.#early = [];
    this.#deliver();
    this.#events.onClose();
  }
}

class ChannelSource implements BodySource {
  readonly length = null;
  untouched = true;
  readonly #channel: DuplexChannel;

  constructor(channel: DuplexChannel) {
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
  readonly #channel: DuplexChannel;

  constructor(channel: DuplexChannel) {
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
