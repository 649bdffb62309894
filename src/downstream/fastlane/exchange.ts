import type { Socket } from 'node:net';
import { badRequest, clientGone, type GatewayError } from '../../errors.ts';
import { type BodySource, noBody } from '../../exchange/body.ts';
import type { Client, Exchange, RequestHead } from '../../exchange/exchange.ts';
import type { InProgress } from '../http1/exchange.ts';
import type { ResponseOwner } from '../http1/response.ts';
import { DISCARD_BYTES, RequestBody } from '../request-body.ts';
import type { LaneBody } from './request-body.ts';
import { LaneSink } from './response.ts';
import type { CanonicalHead } from './scan.ts';

/** What an exchange needs of the connection it came on. */
export interface LaneHost {
  readonly listener: string;
  readonly socket: Socket;
  /** False: the response in progress is the connection's last. */
  readonly reusable: boolean;
  /** After the response, what the client still sends is read and dropped for a while before the connection closes. */
  lingerAfterResponse(): void;
  exchangeEnded(exchange: LaneExchange): void;
}

export interface LaneExchangeParts {
  readonly host: LaneHost;
  readonly head: CanonicalHead;
  readonly client: Client;
  readonly body: LaneBody | null;
}

/** One canonical request and its response: for the engine the same as an `Http1Exchange`. */
export class LaneExchange implements Exchange, InProgress, ResponseOwner {
  readonly request: RequestHead;
  readonly requestBody: BodySource;
  readonly response: LaneSink;
  readonly client: Client;
  readonly listener: string;
  readonly upgrade = null;
  readonly sendContinue = null;
  onClientGone: ((cause: GatewayError) => void) | null = null;
  bodyMayPause = false;
  /** The client asked for the end of the connection. */
  readonly closes: boolean;
  #host: LaneHost;
  #moved = false;
  readonly #body: RequestBody | null;
  readonly #wire: LaneBody | null;

  constructor(parts: LaneExchangeParts) {
    const { host, head, client, body } = parts;
    const { method, headers } = head;
    const scheme = client.tls === null ? 'http' : 'https';
    this.request = { method, target: head.target, authority: head.host, scheme, version: '1.1', headers };
    this.client = client;
    this.listener = host.listener;
    this.closes = head.closes;
    this.#host = host;
    this.#wire = body;
    this.#body = body === null ? null : new RequestBody(body, body, body.missing + body.held);
    this.requestBody = this.#body ?? noBody;
    this.response = new LaneSink(host.socket, this, method === 'HEAD');
  }

  get bytesIn(): number {
    return this.#body === null ? 0 : this.#body.received;
  }

  get bytesOut(): number {
    return this.response.bytesOut;
  }

  keepsAlive(): boolean {
    return !this.closes && this.#mayKeep();
  }

  responseEnded(): void {
    const body = this.#body;
    if (body === null) return;
    const isComplete = body.complete;
    body.discard();
    // What is there already counts in the log, which is about to be written.
    this.#wire?.flush();
    // Also if the client asked for that (RFC 9112 §9.6): it is still sending, and a reset would take the response from it.
    if (!isComplete && (this.response.last || !this.#mayKeep())) this.#host.lingerAfterResponse();
  }

  responseClosed(complete: boolean): void {
    if (!complete) this.#clientGone();
    if (this.#moved) this.#leave();
    this.#host.exchangeEnded(this);
  }

  /** Its connection is another's to read from now on; what is sent on it is still this one's response. */
  moveTo(host: LaneHost): void {
    this.#host = host;
    this.#moved = true;
    host.socket.on('drain', this.drained);
  }

  /** All of it was received before anybody else read the connection. */
  bodyBroken(): boolean {
    return false;
  }

  connectionLost(): void {
    this.response.connectionClosed();
  }

  /** Called at every sweep: fails a request body that comes too slowly, which the engine answers. */
  tend(nowMs: number, bytesPerSecond: number): void {
    const body = this.#body;
    if (body === null || bytesPerSecond === 0 || !body.isTooSlow(nowMs, bytesPerSecond)) return;
    // Once there is a response, both sides may well be waiting for each other's next message; its idle timeout bounds that.
    if (this.bodyMayPause || this.response.phase === 'started') return;
    body.fail(badRequest('body-too-slow', 408));
  }

  readonly drained = (): void => {
    this.response.drained();
  };

  /** Node closes connections after the last responses of its own; this one is not. */
  #leave(): void {
    const { socket } = this.#host;
    socket.removeListener('drain', this.drained);
    if (this.response.last) socket.destroySoon();
  }

  #mayKeep(): boolean {
    if (!this.#host.reusable) return false;
    // What is left of the body is read and dropped after the response, so that the next request is found; but only so much.
    return this.#body === null || this.#body.remaining <= DISCARD_BYTES;
  }

  #clientGone(): void {
    const cause = clientGone();
    const tell = this.onClientGone;
    this.onClientGone = null;
    if (tell !== null) tell(cause);
    if (this.#body !== null && !this.#body.complete) this.#body.fail(cause);
  }
}
