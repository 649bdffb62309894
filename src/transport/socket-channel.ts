import type { Socket } from 'node:net';
import { GatewayError } from '../errors.ts';
import type { BodySink, BodySource, ByteChannel } from '../exchange/body.ts';
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
  socket.pause();
  return { source: new SocketSource(socket, carried), sink: new SocketSink(socket, carried) };
}

class SocketSource implements BodySource {
  readonly length = null;
  untouched = true;
  readonly #socket: Socket;
  readonly #carried: Carried;
  #into: BodySink | null = null;
  #error: Error | null = null;
  #listening = false;

  constructor(socket: Socket, carried: Carried) {
    this.#socket = socket;
    this.#carried = carried;
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.on('close', this.#onClose);
  }

  pipe(into: BodySink): void {
    this.#into = into;
    into.onDrain = () => {
      if (this.#into === into) this.#socket.resume();
    };
    if (!this.#listening) {
      this.#listening = true;
      this.#socket.on('data', this.#onData);
      this.#socket.on('end', this.#onEnd);
    }
    if (this.#socket.closed) queueMicrotask(this.#onClose);
    else this.#socket.resume();
  }

  unpipe(): void {
    this.#into = null;
    this.#socket.pause();
  }

  discard(): void {
    this.#into = null;
    close(this.#socket, this.#carried);
  }

  readonly #onData = (chunk: Buffer): void => {
    this.untouched = false;
    if (this.#into !== null && !this.#into.data(chunk)) this.#socket.pause();
  };

  readonly #onEnd = (): void => {
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
        reason: this.#carried === 'stream' ? 'endpoint-gone' : 'tunnel-closed',
        cause: this.#error ?? undefined,
      }),
    );
  };
}

class SocketSink implements BodySink {
  onDrain: (() => void) | null = null;
  readonly #socket: Socket;
  readonly #carried: Carried;

  constructor(socket: Socket, carried: Carried) {
    this.#socket = socket;
    this.#carried = carried;
    socket.on('drain', () => this.onDrain?.());
  }

  data(chunk: Uint8Array): boolean {
    // On a socket that is gone a write would only be an error; that it is gone is the source's to tell.
    return !this.#socket.writable || this.#socket.write(chunk);
  }

  end(_trailers: HeaderList | null): void {
    this.#socket.end();
  }

  fail(_cause: GatewayError): void {
    close(this.#socket, this.#carried);
  }
}

function close(socket: Socket, carried: Carried): void {
  // Only TCP has resets: a Unix socket, or one that is gone, has no family.
  if (carried === 'stream' && socket.remoteFamily !== undefined) socket.resetAndDestroy();
  else socket.destroy();
}
