import type { Socket } from 'node:net';
import type { Client } from '../exchange/exchange.ts';
import type { StreamHandler } from '../exchange/stream.ts';
import type { Connections } from './connections.ts';
import type { ListenerOptions } from './options.ts';
import type { Peeked } from './peek.ts';
import { StreamConnection } from './stream-connection.ts';

export interface StreamFrontParts {
  readonly options: ListenerOptions;
  readonly streams: StreamHandler;
  readonly connections: Connections;
  readonly clientOf: (socket: Socket) => Client;
  readonly refused: (socket: Socket, reason: string) => void;
}

/** TLS 1.2's record header, and a fatal alert: unrecognized_name (RFC 6066 §3), in the clear as nothing was agreed on yet. */
const UNRECOGNIZED_NAME = Uint8Array.of(21, 3, 3, 0, 2, 2, 112);

/** Takes the connections of a listener that are forwarded as they are, and turns away those that nobody wants. */
export class StreamFront {
  readonly #parts: StreamFrontParts;

  constructor(parts: StreamFrontParts) {
    this.#parts = parts;
  }

  /** Forwards what nobody looked at. */
  accept(socket: Socket): void {
    this.#forward(socket, null);
  }

  /**
   * Forwards or refuses what was peeked at. `false`: it is none of these, and for the listener to terminate; only one that
   * has TLS gets that answer.
   */
  route(socket: Socket, seen: Peeked): boolean {
    const { options, streams } = this.#parts;
    if (seen.kind === 'too-large') this.#refuse(socket, 'client-hello-too-large');
    else if (seen.kind === 'too-late') this.#refuse(socket, 'client-hello-timeout');
    else {
      const serverName = seen.kind === 'hello' ? seen.serverName : null;
      if (streams.forwards(options.name, serverName)) this.#forward(socket, serverName);
      else if (options.tls) return false;
      else if (seen.kind === 'not-tls') this.#refuse(socket, 'not-tls');
      else this.#refuse(socket, 'unknown-server-name', UNRECOGNIZED_NAME);
    }
    return true;
  }

  #forward(socket: Socket, serverName: string | null): void {
    const { options, connections, clientOf, streams } = this.#parts;
    const facts = { listener: options.name, client: clientOf(socket), serverName };
    streams.handle(new StreamConnection(socket, facts, connections));
  }

  #refuse(socket: Socket, reason: string, alert: Uint8Array | null = null): void {
    this.#parts.refused(socket, reason);
    if (alert === null) {
      socket.destroy();
      return;
    }
    // What was peeked at lies in the socket again. The kernel's buffer holds nothing unread, or closing would be a reset that
    // may overtake the alert.
    socket.resume();
    socket.end(alert, () => socket.destroySoon());
  }
}
