import { type Clock, systemClock, type TimerHandle } from '../clock.ts';
import { GatewayError } from '../errors.ts';
import type { AttemptReceiver, Destination, InFlight, Transport } from '../exchange/attempt.ts';
import type { ByteChannel } from '../exchange/body.ts';
import type { ResponseHead } from '../exchange/response-sink.ts';
import { type HeaderList, hasHeader } from '../http/headers.ts';
import { connectionKey } from '../upstream/identity.ts';
import { BytesSource } from './bytes-source.ts';

/** A request of Headgate itself, to a certificate authority for example. */
export interface HttpRequest {
  readonly method: string;
  /** `http:` or `https:`. Redirects are not followed. */
  readonly url: string;
  /** Unix socket to ask at in place of the host of `url`. */
  readonly socketPath?: string | null;
  /** `Host` and `Content-Length` are added; `User-Agent` and `Accept` unless they are given. */
  readonly headers: HeaderList;
  readonly body: Uint8Array | null;
  /** PEM of the authorities to trust, or `null` for the built-in ones. */
  readonly ca: string | null;
  /** For everything, from dialling to the last byte of the answer. */
  readonly timeoutMs: number;
  /** Longest body that is read. */
  readonly limitBytes: number;
  /** How long its connection is kept for the next request. Default 0: it is closed. */
  readonly keepAliveMs?: number;
  /** Connections to its origin at a time, of all requests that say the same here. Default 4. */
  readonly maxConnections?: number;
  /** Gives it up: the connection is closed, and the promise rejected with `given-up`. */
  readonly signal?: AbortSignal;
  /** The head decides: a body that is too long, cut or late is no failure once the head has come, but said in `lacks`. Default false. */
  readonly headDecides?: boolean;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: HeaderList;
  readonly body: Uint8Array;
  /** Why the body is not whole; it is empty then. Only where that was allowed. */
  readonly lacks?: 'answer-too-large' | 'broken';
}

/**
 * One request → one answer, whatever its status. Rejects with a `GatewayError` when there is none, it does not come in time
 * (`total-timeout`), or its body is longer than `limitBytes` (`answer-too-large`); with `TypeError` for a URL that is none.
 */
export type HttpClient = (request: HttpRequest) => Promise<HttpAnswer>;

/** Of one origin; requests of Headgate itself are few. */
const MAX_CONNECTIONS = 4;
const MAX_QUEUED = 64;
/** For each connection beyond. */
const QUEUED_EACH = 16;

/** Sends Headgate's own requests over the transport that also carries traffic. Their connections are closed after them, unless they say otherwise. */
export function httpClient(transport: Transport, clock: Clock = systemClock): HttpClient {
  return async (request) => {
    const url = new URL(request.url);
    if (url.protocol !== 'http:' && url.protocol !== 'https:') throw new TypeError(`Cannot ask ${url.protocol} URLs`);
    const receiver = new AnswerReceiver(request, clock);
    const { method, body } = request;
    receiver.inFlight = transport.send(
      {
        destination: destinationOf(url, request),
        client: null,
        method,
        target: `${url.pathname}${url.search}`,
        headers: [
          'Host',
          url.host,
          ...unlessGiven(request.headers, 'User-Agent', 'headgate'),
          ...unlessGiven(request.headers, 'Accept', '*/*'),
          ...request.headers,
        ],
        body: body === null ? null : new BytesSource(body),
        upgrade: null,
        headTimeoutMs: 0,
      },
      receiver,
    );
    receiver.listen();
    return receiver.answer;
  };
}

function unlessGiven(headers: HeaderList, name: string, value: string): HeaderList {
  return hasHeader(headers, name.toLowerCase()) ? [] : [name, value];
}

/** Where requests of Headgate itself go: over connections of their own. */
export function destinationOf(
  url: URL,
  {
    ca,
    timeoutMs,
    socketPath = null,
    keepAliveMs = 0,
    maxConnections = MAX_CONNECTIONS,
  }: Pick<HttpRequest, 'ca' | 'timeoutMs' | 'socketPath' | 'keepAliveMs' | 'maxConnections'>,
): Destination {
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const secure = url.protocol === 'https:';
  const tls = secure ? { serverName: host, ca, insecure: false } : null;
  const place = socketPath === null ? url.origin : `unix:${socketPath}`;
  return {
    // Never the connections of a pool: its limits are others.
    connectionKey: `own-requests ${keepAliveMs} ${maxConnections} ${connectionKey(place, { tls, protocol: 'http1', proxyProtocol: null })}`,
    host,
    port: url.port === '' ? (secure ? 443 : 80) : Number(url.port),
    socketPath,
    tls,
    proxyProtocol: null,
    protocol: 'http1',
    limits: {
      maxConnections,
      maxQueued: Math.max(MAX_QUEUED, maxConnections * QUEUED_EACH),
      queueTimeoutMs: timeoutMs,
      keepAliveMs,
      connectTimeoutMs: timeoutMs,
    },
  };
}

class AnswerReceiver implements AttemptReceiver {
  onDrain: (() => void) | null = null;
  inFlight: InFlight | null = null;
  readonly answer: Promise<HttpAnswer>;
  readonly #request: HttpRequest;
  readonly #clock: Clock;
  readonly #timer: TimerHandle;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: GatewayError) => void;
  readonly #chunks: Uint8Array[] = [];
  #head: ResponseHead | null = null;
  #received = 0;
  #isOver = false;

  constructor(request: HttpRequest, clock: Clock) {
    const { promise, resolve, reject } = Promise.withResolvers<HttpAnswer>();
    this.answer = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#request = request;
    this.#clock = clock;
    this.#timer = clock.after(request.timeoutMs, () => this.#giveUp('total-timeout'));
  }

  /** It is on its way, and can be called back. */
  listen(): void {
    const { signal } = this.#request;
    if (signal === undefined || this.#isOver) return;
    if (signal.aborted) this.#onAbort();
    else signal.addEventListener('abort', this.#onAbort);
  }

  sent(): void {}
  informational(): void {}

  head(head: ResponseHead): void {
    this.#head = head;
  }

  data(chunk: Uint8Array): boolean {
    this.#received += chunk.byteLength;
    if (this.#received > this.#request.limitBytes) this.#giveUp('answer-too-large');
    // Copied: what a transport hands over is its own again afterwards.
    else this.#chunks.push(Uint8Array.from(chunk));
    return true;
  }

  end(): void {
    if (this.#isOver) return;
    this.#release();
    const { status, headers } = this.#head as ResponseHead;
    this.#resolve({ status, headers, body: Buffer.concat(this.#chunks) });
  }

  fail(error: GatewayError): void {
    if (this.#isOver) return;
    this.#release();
    if (this.#head === null || this.#request.headDecides !== true || error.reason === 'given-up') this.#reject(error);
    else {
      const lacks = error.reason === 'answer-too-large' ? error.reason : 'broken';
      this.#resolve({ status: this.#head.status, headers: this.#head.headers, body: new Uint8Array(), lacks });
    }
  }

  upgraded(_head: ResponseHead, channel: ByteChannel): void {
    channel.source.discard();
    this.#giveUp('unasked-upgrade');
  }

  readonly #onAbort = (): void => this.#giveUp('given-up');

  #release(): void {
    this.#isOver = true;
    this.#clock.cancel(this.#timer);
    this.#request.signal?.removeEventListener('abort', this.#onAbort);
  }

  #giveUp(reason: 'total-timeout' | 'answer-too-large' | 'unasked-upgrade' | 'given-up'): void {
    if (this.#isOver) return;
    this.inFlight?.cancel();
    const code = reason === 'total-timeout' ? 'connection_read_timeout' : 'http_protocol_error';
    this.fail(new GatewayError(code, { blame: 'upstream', status: 502, reason }));
  }
}
