import { badRequest, clientGone, type GatewayError } from '../../errors.ts';
import { type BodySource, noBody } from '../../exchange/body.ts';
import type { Client, Exchange, RequestHead, UpgradeOffer } from '../../exchange/exchange.ts';
import { DISCARD_BYTES, type RequestBody } from '../request-body.ts';
import type { Http1Response } from './message.ts';
import { Http1Sink, type ResponseOwner } from './response.ts';

/** What an exchange needs of the connection it came on. */
export interface ExchangeHost {
  readonly listener: string;
  /** False: the response in progress is the connection's last. */
  readonly reusable: boolean;
  /** After the response, what the client still sends is read and dropped for a while before the connection closes. */
  lingerAfterResponse(): void;
  exchangeEnded(exchange: InProgress): void;
}

/** A request in progress as its connection sees it. */
export interface InProgress {
  /** Called at every sweep. `bytesPerSecond` is the slowest body that is accepted, 0 for any. */
  tend(nowMs: number, bytesPerSecond: number): void;
  /** The client's bytes stopped making sense in the middle of this request. False if the request was complete already. */
  bodyBroken(): boolean;
  /** The socket's buffer is empty again, if Node has let go of the socket and does not tell. */
  drained(): void;
  /** The connection has closed under the exchange. */
  connectionLost(): void;
}

export interface ExchangeParts {
  readonly host: ExchangeHost;
  readonly request: RequestHead;
  readonly client: Client;
  readonly body: RequestBody | null;
  readonly response: Http1Response;
  readonly upgrade: UpgradeOffer | null;
  /** The client waits for a 100 before it sends its body. */
  readonly expectsContinue: boolean;
}

/** One HTTP/1.x request and its response. */
export class Http1Exchange implements Exchange, InProgress, ResponseOwner {
  readonly request: RequestHead;
  readonly requestBody: BodySource;
  readonly response: Http1Sink;
  readonly client: Client;
  readonly listener: string;
  readonly upgrade: UpgradeOffer | null;
  readonly sendContinue: (() => void) | null;
  onClientGone: ((cause: GatewayError) => void) | null = null;
  bodyMayPause = false;
  /** Bytes that an accepted upgrade has moved. */
  tunnelled: { readonly bytesIn: number; readonly bytesOut: number } | null = null;
  readonly #host: ExchangeHost;
  readonly #body: RequestBody | null;
  /** The body was announced by `Expect` and not asked for: whether it comes is the client's choice (RFC 9110 §10.1.1). */
  #uninvited: boolean;

  constructor(parts: ExchangeParts) {
    this.request = parts.request;
    this.client = parts.client;
    this.listener = parts.host.listener;
    this.upgrade = parts.upgrade;
    this.#host = parts.host;
    this.#body = parts.body;
    this.requestBody = parts.body ?? noBody;
    this.#uninvited = parts.expectsContinue;
    this.sendContinue = parts.expectsContinue ? () => this.#continue(parts.response) : null;
    if (parts.expectsContinue && parts.body !== null) parts.body.invited = false;
    this.response = new Http1Sink(parts.response, this, parts.request.version === '1.0');
  }

  get bytesIn(): number {
    if (this.tunnelled !== null) return this.tunnelled.bytesIn;
    return this.#body === null ? 0 : this.#body.received;
  }

  get bytesOut(): number {
    return this.tunnelled === null ? this.response.bytesOut : this.tunnelled.bytesOut;
  }

  keepsAlive(): boolean {
    if (!this.#host.reusable || this.#uninvited) return false;
    // What is left of the body is read and dropped after the response, so that the next request is found; but only so much.
    return this.#body === null || this.#body.remaining <= DISCARD_BYTES;
  }

  responseEnded(): void {
    const body = this.#body;
    if (body === null) return;
    const isComplete = body.complete;
    // Also when all of it lies there unread, which Node would throw away uncounted.
    body.discard();
    // Also if the client asked for it (RFC 9112 §9.6): it is still sending, and a reset would take the response from it.
    if (!isComplete && !(this.keepsAlive() && this.response.keepsAlive)) this.#host.lingerAfterResponse();
  }

  responseClosed(complete: boolean): void {
    if (!complete) this.#clientGone();
    this.#host.exchangeEnded(this);
  }

  /** The connection has closed under the exchange. */
  connectionLost(): void {
    // The end of a tunnel is told by its channel, after the last bytes.
    if (this.tunnelled === null) this.response.connectionClosed();
  }

  drained(): void {
    this.response.drained();
  }

  /** The client's bytes stopped making sense in the middle of this request. False if the request was complete already. */
  bodyBroken(): boolean {
    if (this.#body === null || this.#body.complete) return false;
    // Answered already, and what is left of the body is read for nobody.
    if (this.response.phase === 'closed') return false;
    this.#body.fail(badRequest('malformed-body'));
    return true;
  }

  /** Called at every sweep: fails a request body that comes too slowly, which the engine answers. */
  tend(nowMs: number, bytesPerSecond: number): void {
    const body = this.#body;
    if (body === null || bytesPerSecond === 0 || !body.isTooSlow(nowMs, bytesPerSecond)) return;
    // Once there is a response, both sides may well be waiting for each other's next message; its idle timeout bounds that.
    if (this.bodyMayPause || this.response.phase === 'started') return;
    body.fail(badRequest('body-too-slow', 408));
  }

  #continue(response: Http1Response): void {
    if (!this.#uninvited || this.response.phase !== 'open' || response.destroyed) return;
    this.#uninvited = false;
    if (this.#body !== null) this.#body.invited = true;
    response.writeContinue();
  }

  #clientGone(): void {
    const cause = clientGone();
    const tell = this.onClientGone;
    this.onClientGone = null;
    if (tell !== null) tell(cause);
    if (this.#body !== null && !this.#body.complete) this.#body.fail(cause);
  }
}
