import { randomBytes } from 'node:crypto';
import { constants, type ServerHttp2Stream } from 'node:http2';
import type { ByteChannel } from '../../exchange/body.ts';
import type { UpgradeOffer } from '../../exchange/exchange.ts';
import type { ResponseHead } from '../../exchange/response-sink.ts';
import { type HeaderList, hasHeader, removeHeader } from '../../http/headers.ts';
import { DuplexChannel } from '../duplex-channel.ts';
import type { Http2Exchange } from './exchange.ts';

const nothing = new Uint8Array(0);

/** An extended CONNECT (RFC 8441): accepted with 200, it makes one stream of the session a tunnel. */
export class UpgradeByStream implements UpgradeOffer {
  readonly protocol: string;
  readonly #stream: ServerHttp2Stream;
  readonly #exchange: Http2Exchange;
  readonly #channel: DuplexChannel;

  constructor(protocol: string, stream: ServerHttp2Stream, exchange: Http2Exchange) {
    this.protocol = protocol;
    this.#stream = stream;
    this.#exchange = exchange;
    this.#channel = new DuplexChannel(stream, nothing, {
      // A client that ends the stream before the switch takes nothing any more.
      onEarlyEnd: () => stream.close(constants.NGHTTP2_CANCEL),
      onClose: () => {},
      isCleanEnd: () => endedByClient(stream),
      reset: () => stream.close(constants.NGHTTP2_CANCEL),
    });
  }

  accept(head: ResponseHead): ByteChannel {
    const headers = head.headers.slice();
    // RFC 8441 §5: the key's digest belongs to the HTTP/1.1 handshake, and the client sent no key.
    removeHeader(headers, 'sec-websocket-accept');
    this.#exchange.tunnelled = this.#channel;
    if (!this.#exchange.response.handOver({ status: 200, headers })) this.#stream.close(constants.NGHTTP2_CANCEL);
    return this.#channel;
  }
}

/** At `end`: the client sent END_STREAM. The event alone says nothing, it comes for a reset too. */
export function endedByClient(stream: ServerHttp2Stream): boolean {
  return !stream.aborted && stream.rstCode === constants.NGHTTP2_NO_ERROR;
}

/**
 * The fields of a WebSocket's extended CONNECT as the HTTP/1.1 handshake needs them (RFC 6455 §4.1): a key, which
 * RFC 8441 leaves out. What the endpoint makes of it is nobody's to check but ours, and the connection is ours too.
 */
export function handshakeFields(protocol: string, headers: HeaderList): HeaderList {
  if (protocol.toLowerCase() !== 'websocket' || hasHeader(headers, 'sec-websocket-key')) return headers;
  return headers.concat('sec-websocket-key', randomBytes(16).toString('base64'));
}
