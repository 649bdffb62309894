import { GatewayError } from '../errors.ts';
import type { AttemptReceiver, Transport } from '../exchange/attempt.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { destinationOf } from './http-client.ts';

/** A GET whose answer goes on for as long as both sides like. */
export interface StreamRequest {
  /** `http:` or `https:` */
  readonly url: string;
  /** Unix socket to ask at in place of the host of `url`. */
  readonly socketPath: string | null;
  /** For connecting. */
  readonly timeoutMs: number;
}

/** Order: `opened? data* ended`. Nothing of the body is kept here. */
export interface StreamListener {
  opened(status: number): void;
  data(chunk: Uint8Array): void;
  /** `null`: the other side has ended it. */
  ended(error: GatewayError | null): void;
}

/** Sends the request. After `cancel` nothing is reported. */
export type HttpStream = (request: StreamRequest, into: StreamListener) => { cancel(): void };

/** Streams over the transport that also carries traffic, each on a connection that it shares with nothing. */
export function httpStream(transport: Transport): HttpStream {
  let streams = 0;
  return (request, into) => {
    const url = new URL(request.url);
    streams += 1;
    const receiver = new StreamedAnswer(into);
    const inFlight = transport.send(
      {
        destination: { ...destinationOf(url, { ...request, ca: null }), connectionKey: `own-stream ${streams}` },
        client: null,
        method: 'GET',
        target: `${url.pathname}${url.search}`,
        headers: ['Host', url.host, 'User-Agent', 'headgate', 'Accept', '*/*'],
        body: null,
        upgrade: null,
        headTimeoutMs: 0,
      },
      receiver,
    );
    return {
      cancel: () => {
        receiver.over = true;
        inFlight.cancel();
      },
    };
  };
}

class StreamedAnswer implements AttemptReceiver {
  onDrain: (() => void) | null = null;
  over = false;
  readonly #into: StreamListener;

  constructor(into: StreamListener) {
    this.#into = into;
  }

  sent(): void {}
  informational(): void {}

  head(head: ResponseHead): void {
    if (!this.over) this.#into.opened(head.status);
  }

  data(chunk: Uint8Array): boolean {
    if (!this.over) this.#into.data(chunk);
    return true;
  }

  end(): void {
    this.#end(null);
  }

  fail(error: GatewayError): void {
    this.#end(error);
  }

  upgraded(_head: ResponseHead, channel: ByteChannel): void {
    channel.source.discard();
    this.#end(new GatewayError('http_protocol_error', { blame: 'upstream', status: 502, reason: 'unasked-upgrade' }));
  }

  #end(error: GatewayError | null): void {
    if (this.over) return;
    this.over = true;
    this.#into.ended(error);
  }
}
