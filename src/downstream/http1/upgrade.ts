import type { Socket } from 'node:net';
import type { ByteChannel } from '../../exchange/body.ts';
import type { UpgradeOffer } from '../../exchange/exchange.ts';
import type { ResponseHead } from '../../exchange/response-sink.ts';
import { getHeader, type HeaderList, hasHeader } from '../../http/headers.ts';
import { DuplexChannel } from '../duplex-channel.ts';
import type { Http1Exchange } from './exchange.ts';
import { headBlock } from './head-block.ts';
import { type Http1Request, Http1Response } from './message.ts';

/**
 * An upgrade request whose socket Node has let go of (RFC 9110 §7.8). Either the engine accepts and gets the raw bytes,
 * or it refuses through an ordinary response, after which the connection closes.
 */
export class UpgradeByTunnel implements UpgradeOffer {
  readonly protocol: string;
  /** For the refusal. */
  readonly response: Http1Response;
  readonly #socket: Socket;
  readonly #channel: DuplexChannel;
  readonly #accepted: () => void;
  #exchange: Http1Exchange | null = null;
  #switched = false;

  constructor(request: Http1Request, socket: Socket, head: Uint8Array, accepted: () => void) {
    this.protocol = getHeader(request.rawHeaders, 'upgrade') ?? '';
    this.#socket = socket;
    this.#accepted = accepted;
    this.response = new Http1Response(request);
    this.response.assignSocket(socket);
    this.response.shouldKeepAlive = false;
    this.response.on('finish', () => socket.destroySoon());
    this.#channel = new DuplexChannel(socket, head, {
      // A client that closes before the switch takes nothing any more.
      onEarlyEnd: () => socket.destroySoon(),
      // The end of a tunnel is told by its channel.
      onClose: () => this.#exchange?.response.closed(this.#switched || this.response.writableFinished),
      isCleanEnd: () => true,
      reset: () => socket.destroy(),
    });
    // Node's own listener for this is gone with its parser.
    socket.on('drain', () => this.#exchange?.response.drained());
  }

  attach(exchange: Http1Exchange): void {
    this.#exchange = exchange;
  }

  accept(head: ResponseHead): ByteChannel {
    const exchange = this.#exchange;
    if (exchange === null || exchange.response.phase !== 'open') return this.#channel;
    this.#switched = true;
    exchange.tunnelled = this.#channel;
    exchange.response.handOver();
    this.response.detachSocket(this.#socket);
    this.#accepted();
    const block = headBlock(101, switchFields(head.headers, this.protocol));
    if (block === null) this.#socket.destroy();
    else if (this.#socket.writable) this.#socket.write(block, 'latin1');
    return this.#channel;
  }
}

/** The endpoint's own fields, in its order; the two that make a switch, if they were stripped on the way. */
function switchFields(headers: HeaderList, protocol: string): HeaderList {
  const fields: string[] = [];
  if (!hasHeader(headers, 'connection')) fields.push('Connection', 'Upgrade');
  if (!hasHeader(headers, 'upgrade')) fields.push('Upgrade', protocol);
  return fields.length === 0 ? headers : fields.concat(headers);
}
