import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { GatewayError } from '../errors.ts';
import type { BodySink, BodySource, ByteChannel } from '../exchange/body.ts';
import { resetSocket } from '../exchange/reset.ts';
import type { HeaderList } from '../http/headers.ts';

/** What a connection carries: what follows an upgrade, or a stream whose every byte and end is passed on. */
export type Carried = 'tunnel' | 'stream';

/**
 * The two directions of an upgraded connection, or of a fresh one. Bytes that came right behind the 101 are still in the socket
 * and come first. `source.discard()` and `sink.fail()` close the connection, that of a stream with a reset: nothing may look
 * like an end of what it carried. `sink.end()` half-closes it. The socket must already have an error listener.
 */
export function socketChannel(socket: Socket, carried: Carried = 'tunnel'): ByteChannel {
  // Half-open on purpose: what the other side still has to say after our end is theirs to finish (RFC 9110 §7.8).
  socket.allowHalfOpen = true;
  return duplexChannel(socket, {
    brokenOff: carried === 'stream' ? 'endpoint-gone' : 'tunnel-closed',
    isCleanEnd: () => true,
    reset: () => close(socket, carried),
  });
}

/** What differs between a connection of its own and one stream among many. */
export interface ChannelEnds {
  /** Reason for the log when the endpoint leaves without an end. */
  readonly brokenOff: string;
  /** At the stream's `end`: was it the endpoint who ended it? */
  isCleanEnd(): boolean;
  /** Gives it up: nothing may look like a clean end. */
  reset(): void;
}

/** The two directions of `stream`, which must already have an error listener. */
export function duplexChannel(stream: Duplex, ends: ChannelEnds): ByteChannel {
  stream.pause();
  return { source: new ChannelSource(stream, ends), sink: new ChannelSink(stream, ends) };
}

class ChannelSource implements BodySource {
  readonly length = null;
  untouched = true;
  readonly #stream: Duplex;
  readonly #ends: ChannelEnds;
  #into: BodySink | null = null;
  #error: Error | null = null;
  #listening = false;

  constructor(stream: Duplex, ends: ChannelEnds) {
    this.#stream = stream;
    this.#ends = ends;
    stream.on('error', (error) => {
      this.#error = error;
    });
    stream.on('close', this.#onClose);
  }

  pipe(into: BodySink): void {
    this.#into = into;
    const drained = (): void => {
      if (this.#into === into) this.#stream.resume();
    };
    into.onDrain = drained;
    if (!this.#listening) {
      this.#listening = true;
      this.#stream.on('data', this.#onData);
      this.#stream.on('end', this.#onEnd);
    }
    if (this.#stream.closed) queueMicrotask(this.#onClose);
    else this.#stream.resume();
  }

  unpipe(): void {
    this.#into = null;
    this.#stream.pause();
  }

  discard(): void {
    this.#into = null;
    this.#ends.reset();
  }

  readonly #onData = (chunk: Buffer): void => {
    this.untouched = false;
    if (this.#into !== null && !this.#into.data(chunk)) this.#stream.pause();
  };

  readonly #onEnd = (): void => {
    if (!this.#ends.isCleanEnd()) return;
    const into = this.#into;
    this.#into = null;
    into?.end(null);
  };

  /** Without an end before: broken off. */
  readonly #onClose = (): void => {
    const into = this.#into;
    this.#into = null;
    into?.fail(
      new GatewayError('connection_terminated', {
        blame: 'upstream',
        status: 502,
        reason: this.#ends.brokenOff,
        cause: this.#error ?? undefined,
      }),
    );
  };
}

class ChannelSink implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #stream: Duplex;
  readonly #ends: ChannelEnds;

  constructor(stream: Duplex, ends: ChannelEnds) {
    this.#stream = stream;
    this.#ends = ends;
    stream.on('drain', () => this.onDrain?.());
  }

  data(chunk: Uint8Array): boolean {
    // On a socket that is gone a write would only be an error; that it is gone is the source's to tell.
    return !this.#stream.writable || this.#stream.write(chunk);
  }

  end(_trailers: HeaderList | null): void {
    this.#stream.end();
  }

  fail(_cause: GatewayError): void {
    this.#ends.reset();
  }
}

function close(socket: Socket, carried: Carried): void {
  if (carried === 'stream') resetSocket(socket);
  else socket.destroy();
}
