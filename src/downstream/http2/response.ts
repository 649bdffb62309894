import { constants, type ServerHttp2Stream } from 'node:http2';
import type { GatewayError } from '../../errors.ts';
import type { ResponseHead, ResponseSink } from '../../exchange/response-sink.ts';
import { isGrpc } from '../../http/grpc.ts';
import type { HeaderList } from '../../http/headers.ts';
import { fieldObject } from '../../http/http2-fields.ts';
import { announcedLength, responseFields } from './response-fields.ts';

/** What a sink tells the exchange it belongs to. */
export interface StreamOwner {
  /** The last byte was given to Node. */
  responseEnded(): void;
  /** The response is over: `complete`, or the stream died before. */
  responseClosed(complete: boolean): void;
  /** The stream has closed: nothing more comes of it in either direction. */
  streamClosed(): void;
}

/** A stream, and what its request asks of the response. */
export interface Asked {
  readonly stream: ServerHttp2Stream;
  /** The request ended with its head: nothing of it will hold the stream open when the response is over. */
  readonly isComplete: boolean;
  /** HEAD: no body. */
  readonly isHead: boolean;
  /** An extended CONNECT, to which any 2xx means that the tunnel stands (RFC 8441 §5, RFC 9110 §9.3.6). */
  readonly isTunnel: boolean;
}

const noTrailers: HeaderList = [];

/** What Node is told to expect after a head. */
interface Plan {
  readonly endStream: boolean;
  readonly waitForTrailers: boolean;
}

const PLANS = {
  nothing: { endStream: true, waitForTrailers: false },
  body: { endStream: false, waitForTrailers: false },
  trailers: { endStream: false, waitForTrailers: true },
} as const;

/**
 * Writes one response on an HTTP/2 stream through Node's core API. Never throws: streams vanish at any moment, and every
 * call on one that has is guarded. A failure after the head is a RST_STREAM.
 */
export class Http2Sink implements ResponseSink {
  phase: 'open' | 'started' | 'closed' = 'open';
  unsendable = false;
  onDrain: (() => void) | null = null;
  onClose: (() => void) | null = null;
  /** Body bytes given to the stream so far, and in how many pieces. */
  bytesOut = 0;
  pieces = 0;
  /** The stream was reset for a failure that is not the client's. */
  gaveUp = false;
  readonly #stream: ServerHttp2Stream;
  readonly #owner: StreamOwner;
  readonly #isTunnel: boolean;
  #bodyless: boolean;
  #announced = -1;
  #trailers: HeaderList = noTrailers;
  #waitsForDrain = false;
  #over = false;
  #handedOver = false;

  constructor(asked: Asked, owner: StreamOwner) {
    const { stream } = asked;
    this.#stream = stream;
    this.#owner = owner;
    this.#bodyless = asked.isHead;
    this.#isTunnel = asked.isTunnel;
    // All three, because a stream closes only when its request was read to the end: a response may be over long before,
    // and a stream with bytes unread may have died long before. Where there is nothing to read, `close` follows `finish` at
    // once.
    const finished = (): void => this.#finished();
    if (!asked.isComplete) stream.on('finish', finished);
    stream.on('aborted', finished);
    stream.on('close', () => {
      this.#closed();
      owner.streamClosed();
    });
  }

  informational(status: number, headers: HeaderList): void {
    if (this.phase !== 'open' || this.#gone || status === 101 || status < 100 || status > 199) return;
    const fields = fieldObject(headers);
    if (fields === null) return;
    try {
      this.#stream.additionalHeaders({ ...fields, ':status': status });
    } catch {
      this.#reset();
    }
  }

  start(head: ResponseHead): void {
    if (this.phase !== 'open') return;
    this.phase = 'started';
    this.#announced = announcedLength(head.headers);
    this.#respond(head.status, head.headers, this.#announced === -1 || isGrpc(head.headers) ? 'trailers' : 'body');
  }

  respond(head: ResponseHead, body: Uint8Array | null): void {
    if (this.phase !== 'open') return;
    this.phase = 'started';
    const length = body === null ? 0 : body.byteLength;
    const withLength = length > 0 && announcedLength(head.headers) === -1;
    const headers = withLength ? head.headers.concat('content-length', String(length)) : head.headers;
    if (!this.#respond(head.status, headers, length === 0 ? 'nothing' : 'body')) return;
    this.phase = 'closed';
    if (body !== null && length > 0 && !this.#bodyless) {
      this.bytesOut = length;
      this.pieces = 1;
      this.#endStream(body);
    }
    this.#owner.responseEnded();
  }

  data(chunk: Uint8Array): boolean {
    if (this.phase !== 'started' || this.#bodyless || this.#gone) return true;
    this.bytesOut += chunk.byteLength;
    this.pieces += 1;
    if (this.#stream.write(chunk)) return true;
    if (!this.#waitsForDrain) {
      this.#waitsForDrain = true;
      this.#stream.on('drain', () => this.#drained());
    }
    return false;
  }

  end(trailers: HeaderList | null): void {
    if (this.phase !== 'started') return;
    if (this.#announced !== -1 && !this.#bodyless && this.bytesOut !== this.#announced) {
      this.gaveUp = true;
      this.#reset();
      return;
    }
    this.phase = 'closed';
    if (trailers !== null) this.#trailers = trailers;
    if (!this.#bodyless) this.#endStream(null);
    this.#owner.responseEnded();
  }

  fail(cause: GatewayError): void {
    if (this.phase === 'closed') return;
    this.gaveUp = cause.blame !== 'client';
    this.#reset();
  }

  /** An accepted extended CONNECT: the stream is a tunnel now (RFC 8441 §5). False if it is gone. */
  handOver(head: ResponseHead): boolean {
    if (this.phase !== 'open') return false;
    this.#handedOver = true;
    const started = this.#respond(head.status, head.headers, 'body');
    this.phase = 'closed';
    return started;
  }

  /** Everything written has left, or nothing more will. For a tunnel that is only one direction's end. */
  #finished(): void {
    if (!this.#handedOver) this.#closed();
  }

  #closed(): void {
    if (this.#over) return;
    this.#over = true;
    this.phase = 'closed';
    const { writableFinished, aborted, rstCode } = this.#stream;
    // Node ends the writable side of a stream that dies under us; `aborted` says that it was not we who did.
    const complete = writableFinished && !aborted && rstCode === constants.NGHTTP2_NO_ERROR;
    this.#owner.responseClosed(complete);
    // A tunnel's channel hears of the same event after us, and knows more about it.
    if (this.#handedOver) queueMicrotask(() => this.onClose?.());
    else if (this.onClose !== null) this.onClose();
  }

  get #gone(): boolean {
    return this.#stream.destroyed || this.#stream.closed;
  }

  #respond(status: number, headers: HeaderList, followed: 'nothing' | 'body' | 'trailers'): boolean {
    if (status === 204 || status === 205 || status === 304) this.#bodyless = true;
    // Without a switch behind it, an endpoint's 200 would be read as the tunnel's first bytes.
    const saysTooMuch = this.#isTunnel && !this.#handedOver && status < 300;
    const fields = status < 200 || status > 599 || saysTooMuch ? null : responseFields(status, headers);
    if (this.#gone) {
      this.phase = 'closed';
      return false;
    }
    if (fields === null) {
      this.#unsendable();
      return false;
    }
    // Trailers must be announced to Node with the head. A body of known length is not followed by any but gRPC's, and
    // without the announcement its last frame can carry END_STREAM.
    const plan = this.#bodyless ? PLANS.nothing : PLANS[followed];
    if (plan.waitForTrailers) this.#stream.on('wantTrailers', () => this.#sendTrailers());
    this.#say(fields, plan);
    return true;
  }

  /**
   * A stream can be gone between two lines, and Node says so by throwing `ERR_HTTP2_INVALID_STREAM`; or there was a field that
   * Node's own checks refuse. Either way the stream can't go on, here as everywhere below. No closure for it: with those of the
   * exchange that are gone too, 10.6 → 9.5 KB a request.
   */
  #say(fields: string[], plan: Plan): void {
    try {
      this.#stream.respond(fields, plan);
    } catch {
      this.#reset();
    }
  }

  #unsendable(): void {
    this.phase = 'closed';
    this.unsendable = true;
    this.#say([':status', '502', 'proxy-status', 'headgate; error=http_protocol_error'], PLANS.nothing);
    this.#owner.responseEnded();
  }

  #sendTrailers(): void {
    const fields = fieldObject(this.#trailers);
    if (fields === null) {
      this.#reset();
      return;
    }
    try {
      this.#stream.sendTrailers(fields);
    } catch {
      this.#reset();
    }
  }

  #drained(): void {
    if (this.onDrain !== null && this.phase === 'started') this.onDrain();
  }

  #reset(): void {
    this.phase = 'closed';
    if (!this.#gone) this.#stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }

  #endStream(last: Uint8Array | null): void {
    try {
      if (last === null) this.#stream.end();
      else this.#stream.end(last);
    } catch {
      this.#reset();
    }
  }
}
