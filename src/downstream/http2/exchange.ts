import { constants, type ServerHttp2Stream } from 'node:http2';
import { badRequest, clientGone, type GatewayError } from '../../errors.ts';
import { type BodySource, noBody } from '../../exchange/body.ts';
import type { Client, Exchange, RequestHead, UpgradeOffer } from '../../exchange/exchange.ts';
import type { RequestBody } from '../request-body.ts';
import { StallWatch } from '../stall.ts';
import { explained } from './chatter.ts';
import { type Asked, Http2Sink, type StreamOwner } from './response.ts';
import { STREAM_WINDOW_BYTES } from './upload-window.ts';

/** The session of a stream. */
export interface SessionOwner {
  /** The stream of this exchange has closed. */
  exchangeEnded(exchange: Http2Exchange): void;
}

export interface StreamParts extends Asked {
  readonly listener: string;
  readonly request: RequestHead;
  readonly client: Client;
  readonly body: RequestBody | null;
  readonly expectsContinue: boolean;
  readonly session: SessionOwner;
}

/** After a complete response, what the client still sends is read and dropped for this long. */
const LINGER_MS = 2_000;

/** One HTTP/2 stream as an exchange. */
export class Http2Exchange implements Exchange, StreamOwner {
  readonly request: RequestHead;
  readonly requestBody: BodySource;
  readonly response: Http2Sink;
  readonly client: Client;
  readonly listener: string;
  readonly sendContinue: (() => void) | null;
  /** Set once, before the engine sees the exchange. */
  upgrade: UpgradeOffer | null = null;
  onClientGone: ((cause: GatewayError) => void) | null = null;
  bodyMayPause = false;
  /** Bytes that an accepted extended CONNECT has moved. */
  tunnelled: { readonly bytesIn: number; readonly bytesOut: number } | null = null;
  readonly #stream: ServerHttp2Stream;
  readonly #body: RequestBody | null;
  readonly #session: SessionOwner;
  /** Made by the first sweep that finds the stream open: few live for so long. */
  #stall: StallWatch | null = null;
  /** The response is complete, the request is not. */
  #lingers = false;
  #lingersSince = 0;
  #uninvited: boolean;
  #over = false;

  constructor(parts: StreamParts) {
    this.request = parts.request;
    this.client = parts.client;
    this.listener = parts.listener;
    this.#stream = parts.stream;
    this.#body = parts.body;
    this.#session = parts.session;
    this.requestBody = parts.body ?? noBody;
    this.#uninvited = parts.expectsContinue;
    if (parts.expectsContinue && parts.body !== null) parts.body.invited = false;
    this.sendContinue = parts.expectsContinue ? () => this.#continue() : null;
    this.response = new Http2Sink(parts, this);
  }

  get bytesIn(): number {
    if (this.tunnelled !== null) return this.tunnelled.bytesIn;
    return this.#body === null ? 0 : this.#body.received;
  }

  get bytesOut(): number {
    return this.tunnelled === null ? this.response.bytesOut : this.tunnelled.bytesOut;
  }

  /** Bytes for which this stream is a reason. */
  get explained(): number {
    const { tunnelled, bytesOut } = this;
    // A tunnel's pieces are not counted: 16 bytes are a small message of one.
    const pieces = tunnelled === null ? this.response.pieces : bytesOut / 16;
    const unread = this.#stream.readableLength;
    return explained({ received: this.bytesIn + unread, sent: bytesOut, pieces }) + (this.#over ? this.#underWay() : 0);
  }

  /** The stream ended by a reset that the client sent, or brought about: not one for a failure behind us. */
  get wasReset(): boolean {
    const { aborted, rstCode } = this.#stream;
    return !this.response.gaveUp && (aborted || rstCode !== constants.NGHTTP2_NO_ERROR);
  }

  responseEnded(): void {
    const body = this.#body;
    if (body === null || body.complete || this.#stream.destroyed) return;
    this.#lingers = true;
    body.discard();
  }

  responseClosed(complete: boolean): void {
    if (!complete) this.#clientGone();
  }

  streamClosed(): void {
    this.#over = true;
    this.#session.exchangeEnded(this);
  }

  /** What of a body comes after its stream is over, and what was dropped unread with it. */
  #underWay(): number {
    const cutShort = this.tunnelled !== null || (this.#body !== null && !this.#body.complete);
    return cutShort ? 4 * STREAM_WINDOW_BYTES : 0;
  }

  /**
   * Called at every sweep: fails a request body that comes too slowly, which the engine answers, and resets a stream whose
   * client does not open its window.
   */
  tend(nowMs: number, bytesPerSecond: number): void {
    if (this.#lingers) {
      this.#linger(nowMs);
      return;
    }
    this.#stall ??= new StallWatch();
    if (this.#stall.isStalled(nowMs, this.bytesOut, this.#stream.writableLength)) {
      this.#stream.close(constants.NGHTTP2_CANCEL);
      return;
    }
    const body = this.#body;
    if (body === null || bytesPerSecond === 0 || !body.isTooSlow(nowMs, bytesPerSecond)) return;
    // Once there is a response, both sides may well be waiting for each other's next message; its idle timeout bounds that.
    if (this.bodyMayPause || this.response.phase === 'started') return;
    body.fail(badRequest('body-too-slow', 408));
  }

  /**
   * RFC 9113 §8.1: after a complete response, NO_ERROR asks the client to stop its upload. Not at once: a reset overtakes
   * the response in Node's queue, and most clients are nearly done.
   */
  #linger(nowMs: number): void {
    if (this.#lingersSince === 0) this.#lingersSince = nowMs;
    else if (nowMs - this.#lingersSince >= LINGER_MS) this.#stream.close(constants.NGHTTP2_NO_ERROR);
  }

  #continue(): void {
    if (!this.#uninvited || this.response.phase !== 'open') return;
    this.#uninvited = false;
    if (this.#body !== null) this.#body.invited = true;
    this.response.informational(100, []);
  }

  #clientGone(): void {
    const cause = clientGone();
    const tell = this.onClientGone;
    this.onClientGone = null;
    if (tell !== null) tell(cause);
    if (this.#body !== null && !this.#body.complete) this.#body.fail(cause);
    // What is unread is nobody's, and keeps a dead stream from closing.
    if (this.tunnelled === null) this.#stream.resume();
  }
}
