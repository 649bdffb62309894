import type { Socket } from 'node:net';
import { clientGone, GatewayError } from '../errors.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { Client } from '../exchange/exchange.ts';
import { resetSocket } from '../exchange/reset.ts';
import type { StreamExchange } from '../exchange/stream.ts';
import type { Connections, Tended } from './connections.ts';
import { DuplexChannel } from './duplex-channel.ts';

/** TCP keep-alive probes find clients that vanished from long quiet streams. */
const PROBE_AFTER_MS = 60_000;
const NOTHING = new Uint8Array(0);

export interface StreamFacts {
  readonly listener: string;
  readonly client: Client;
  readonly serverName: string | null;
}

/**
 * A connection that is forwarded as it is. How long it may be silent, the engine knows; a drain waits until it ends, and cuts
 * it off with a reset, since nobody could tell a FIN from the other side's.
 */
export class StreamConnection implements StreamExchange, Tended {
  readonly listener: string;
  readonly client: Client;
  readonly serverName: string | null;
  onClientGone: ((cause: GatewayError) => void) | null = null;
  readonly #socket: Socket;
  readonly #channel: DuplexChannel;

  /** `socket` may have unread bytes in it, and has an error listener. */
  constructor(socket: Socket, facts: StreamFacts, connections: Connections) {
    this.#socket = socket;
    this.listener = facts.listener;
    this.client = facts.client;
    this.serverName = facts.serverName;
    socket.allowHalfOpen = true;
    socket.setKeepAlive(true, PROBE_AFTER_MS);
    const lost = (): GatewayError => lostBy(socket, connections);
    this.#channel = new DuplexChannel(socket, NOTHING, {
      // It waits, like the bytes before it, for somebody to hand it to.
      onEarlyEnd: () => {},
      isCleanEnd: () => true,
      onClose: () => {
        connections.detach(this);
        const { onClientGone } = this;
        this.onClientGone = null;
        onClientGone?.(lost());
      },
      reset: () => resetSocket(socket),
      lost,
    });
    connections.attach(this);
  }

  tend(): void {}

  retire(): void {}

  cutOff(): void {
    resetSocket(this.#socket);
  }

  get channel(): ByteChannel {
    return this.#channel;
  }

  get bytesIn(): number {
    return this.#channel.bytesIn;
  }

  get bytesOut(): number {
    return this.#channel.bytesOut;
  }
}

/** A socket that closed without an error of its own was closed by a listener that ran out of patience. */
function lostBy(socket: Socket, connections: Connections): GatewayError {
  if (socket.errored !== null || !connections.retiring) return clientGone(socket.errored ?? undefined);
  return new GatewayError('connection_terminated', { blame: 'gateway', status: 503, reason: 'drain-timeout' });
}
