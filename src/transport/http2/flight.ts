import { type ClientHttp2Stream, constants, type IncomingHttpHeaders, type IncomingHttpStatusHeader } from 'node:http2';
import type { CoarseClock, Deadline } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { Attempt, AttemptReceiver, InFlight, Transport } from '../../exchange/attempt.ts';
import { type HeaderList, noHeaders } from '../../http/headers.ts';
import { headTimeout, internal, protocolError, queueTimeout, unsendable, writeTimeout } from '../failure.ts';
import { framedHeaders } from '../request-framing.ts';
import { onEndOfStream } from './end-of-stream.ts';
import { fieldBytes, requestFields, withoutPseudo } from './fields.ts';
import type { SessionStream, UpstreamSession } from './session.ts';
import type { SessionPool, StreamWaiter } from './session-pool.ts';
import { headTooLarge, isSessionBroken, isSessionError, streamFailure } from './stream-failure.ts';
import { streamChannel, switchHead } from './tunnel.ts';
import { Upload, type UploadOwner } from './upload.ts';

/** An endpoint that sends more interim responses than this for one request is not going to answer. */
const MAX_INTERIM = 32;
/** A session may be left before the endpoint has looked at the request; after so many in a row it is the endpoint's fault. */
const MAX_MOVES = 3;
/** An endpoint that has answered without taking all of the request may still take it for so long. */
const UNTAKEN_MS = 2_000;

export interface FlightParts {
  readonly pool: SessionPool;
  readonly deadlines: CoarseClock;
  readonly maxHeadBytes: number;
  /** Takes upgrades of endpoints without extended CONNECT. */
  readonly http1: Transport;
}

type Head = IncomingHttpHeaders & IncomingHttpStatusHeader;

/**
 * One attempt on its way: waiter for a session, then the user of one stream.
 * waiting → streaming (head is out, body follows) → done.
 */
export class Http2Flight implements InFlight, StreamWaiter, SessionStream, Deadline, UploadOwner {
  /** Deadline for the queue, then for the response head, at last for a request that outlives its response. */
  at = 0;
  slot = 0;
  stream: ClientHttp2Stream | null = null;
  readonly #attempt: Attempt;
  readonly #into: AttemptReceiver;
  readonly #parts: FlightParts;
  #session: UpstreamSession | null = null;
  #upload: Upload | null = null;
  /** The attempt went to HTTP/1.1. */
  #delegate: InFlight | null = null;
  #reused = false;
  #responseBegun = false;
  #headDelivered = false;
  #requestSent = false;
  #writtenBefore = 0;
  #interim = 0;
  #moves = 0;
  #trailers: HeaderList = noHeaders;
  /** END_STREAM was seen. */
  #complete = false;
  #error: Error | null = null;
  #done = false;

  constructor(attempt: Attempt, into: AttemptReceiver, parts: FlightParts) {
    this.#attempt = attempt;
    this.#into = into;
    this.#parts = parts;
  }

  /** Begins. Reports every failure through the receiver. */
  start(): void {
    const { method, target } = this.#attempt;
    if (method === 'CONNECT') this.#fail(unsendable('connect-not-supported'));
    else if (target.charCodeAt(0) !== 0x2f) this.#fail(unsendable('not-origin-form'));
    else this.#parts.pool.acquire(this);
  }

  // ---- in need of a stream

  queued(timeoutMs: number): void {
    this.#parts.deadlines.arm(this, timeoutMs);
  }

  refused(error: GatewayError): void {
    if (!this.#done) this.#fail(error);
  }

  assigned(session: UpstreamSession): void {
    if (this.#attempt.upgrade !== null && !session.tunnels) {
      this.elsewhere();
      return;
    }
    if (this.at !== 0) this.#parts.deadlines.disarm(this);
    this.#session = session;
    const stream = this.#open(session);
    if (stream === null) return;
    this.stream = stream;
    this.#reused = session.served > 1;
    if (this.#reused) this.#parts.pool.counts.reused += 1;
    this.#into.sent(this.#reused);
    if (this.#done) return;
    if (this.#attempt.headTimeoutMs > 0) this.#parts.deadlines.arm(this, this.#attempt.headTimeoutMs);
    this.#upload?.start();
  }

  elsewhere(): void {
    if (this.at !== 0) this.#parts.deadlines.disarm(this);
    this.#done = true;
    this.#delegate = this.#parts.http1.send(this.#attempt, this.#into);
  }

  // ---- stopped from this side

  cancel(): void {
    if (this.#delegate !== null) this.#delegate.cancel();
    if (this.#done) return;
    this.#settle();
    if (this.stream === null) this.#parts.pool.forget(this);
    else this.#reset(constants.NGHTTP2_CANCEL);
  }

  expire(): void {
    if (this.#done) {
      this.#reset(constants.NGHTTP2_CANCEL);
      return;
    }
    if (this.stream === null) {
      this.#parts.pool.forget(this);
      this.#fail(queueTimeout());
      return;
    }
    if (!this.#requestSent && !this.#isStalled()) {
      this.#writtenBefore = this.#upload?.written ?? 0;
      this.#parts.deadlines.arm(this, this.#attempt.headTimeoutMs);
      return;
    }
    this.#abort(this.#requestSent ? headTimeout() : writeTimeout());
  }

  uploaded(): void {
    this.#requestSent = true;
    if (this.#done || this.#headDelivered) return;
    if (this.#attempt.headTimeoutMs > 0) this.#parts.deadlines.arm(this, this.#attempt.headTimeoutMs);
  }

  uploadFailed(cause: GatewayError): void {
    if (!this.#done) this.#abort(cause);
  }

  unprocessed(): void {
    if (this.#done) return;
    const session = this.#session as UpstreamSession;
    const error = this.#failure({ unprocessed: true });
    this.#reset(constants.NGHTTP2_CANCEL);
    // A session that has answered was left in good order, one that never did refuses requests by its GOAWAY.
    if (this.#canMove() && (session.answered || this.#parts.pool.mayMove())) this.#move();
    else this.#fail(error);
  }

  /** Nothing of it was used up. */
  #canMove(): boolean {
    const { body } = this.#attempt;
    return this.#moves < MAX_MOVES && !this.#responseBegun && (body === null || body.untouched);
  }

  /** The endpoint did not see it, and nobody needs to know: once more, on another session or when this one has room. */
  #move(): void {
    this.#letGo();
    this.#parts.pool.acquire(this);
  }

  #letGo(): void {
    this.#moves += 1;
    if (this.at !== 0) this.#parts.deadlines.disarm(this);
    this.#upload?.detach();
    this.#upload = null;
    this.stream = null;
    this.#session = null;
    this.#error = null;
  }

  /** The endpoint took nothing for a whole period. A client that sends nothing is not the endpoint's fault. */
  #isStalled(): boolean {
    const upload = this.#upload;
    return upload !== null && upload.written === this.#writtenBefore && upload.isBlocked;
  }

  #open(session: UpstreamSession): ClientHttp2Stream | null {
    const { body, upgrade, headers } = this.#attempt;
    const source = body === null || body.length === 0 ? null : body;
    const fields = requestFields(this.#attempt, source === null ? headers : framedHeaders(headers, source.length));
    if (fields === null) {
      this.#fail(internal('unsendable-request', null));
      return null;
    }
    try {
      const endStream = source === null && upgrade === null;
      // Trailers must be announced to Node with the head. A body of known length is not followed by any in practice.
      const stream = session.open(this, fields, { endStream, waitForTrailers: source?.length === null });
      this.#requestSent = source === null;
      if (source !== null) this.#upload = new Upload(stream, source, this);
      this.#listen(stream);
      return stream;
    } catch (error) {
      // ERR_INVALID_HTTP_TOKEN and the like.
      this.#fail(internal('unsendable-request', error));
      return null;
    }
  }

  #listen(stream: ClientHttp2Stream): void {
    stream.on('error', (error: Error) => {
      if (this.stream === stream) this.#error = error;
    });
    stream.on('headers', (headers: Head, _flags: number, raw: HeaderList) => this.#interimResponse(headers, raw));
    stream.on('response', (headers: Head, flags: number, raw: HeaderList) => this.#response(headers, flags, raw));
    stream.on('close', () => {
      if (this.stream === stream) this.#closed();
    });
  }

  // ---- what comes back

  #interimResponse(headers: Head, raw: HeaderList): void {
    if (this.#done || this.#headDelivered) return;
    const status = headers[':status'] ?? 0;
    this.#responseBegun = true;
    this.#session?.heard();
    this.#interim += 1;
    // RFC 9113 §8.6: there is no 101 in HTTP/2.
    if (status < 100 || status === 101) this.#abort(protocolError('malformed-response'));
    else if (this.#interim > MAX_INTERIM) this.#abort(protocolError('too-many-interim-responses'));
    else this.#into.informational(status, withoutPseudo(raw));
  }

  #response(head: Head, flags: number, raw: HeaderList): void {
    if (this.#done) return;
    const status = head[':status'] ?? 0;
    this.#responseBegun = true;
    this.#session?.heard();
    if (status < 200) {
      this.#abort(protocolError('malformed-response'));
      return;
    }
    if (fieldBytes(raw) > this.#parts.maxHeadBytes) {
      this.#abort(headTooLarge());
      return;
    }
    if (this.at !== 0) this.#parts.deadlines.disarm(this);
    this.#headDelivered = true;
    this.#parts.pool.answered();
    const last = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const headers = withoutPseudo(raw);
    if (this.#attempt.upgrade !== null && status < 300 && !last) this.#switch({ status, headers });
    else this.#deliver({ status, headers }, last);
  }

  #deliver(head: { readonly status: number; readonly headers: HeaderList }, last: boolean): void {
    const stream = this.stream as ClientHttp2Stream;
    const into = this.#into;
    const drained = (): void => {
      if (!this.#done) stream.resume();
    };
    into.onDrain = drained;
    into.head(head, last);
    if (this.#done) return;
    if (last) {
      this.#end();
      return;
    }
    onEndOfStream(stream, () => {
      this.#complete = true;
    });
    stream.on('trailers', (_headers: unknown, _flags: number, raw: HeaderList) => {
      this.#trailers = withoutPseudo(raw);
    });
    stream.on('end', () => {
      if (this.#complete && !this.#done) this.#end();
    });
    stream.on('data', (chunk: Uint8Array) => this.#data(chunk));
  }

  #data(chunk: Uint8Array): void {
    if (this.#done) return;
    this.#session?.heard();
    if (!this.#into.data(chunk)) this.stream?.pause();
  }

  #end(): void {
    const stream = this.stream as ClientHttp2Stream;
    const whole = this.#requestSent;
    this.#settle();
    // RFC 9113 §8.1: the endpoint has answered without the rest of the request, and nobody wants that any more.
    if (!whole) {
      this.#reset(constants.NGHTTP2_NO_ERROR);
    } else {
      stream.resume();
      // What waits for the endpoint's window would keep the stream for ever, and its place among those of the session.
      if (!stream.writableFinished) this.#parts.deadlines.arm(this, UNTAKEN_MS);
    }
    this.#into.end(this.#trailers.length === 0 ? null : this.#trailers);
  }

  #switch(head: { readonly status: number; readonly headers: HeaderList }): void {
    const stream = this.stream as ClientHttp2Stream;
    this.#settle();
    this.#into.upgraded(switchHead(this.#attempt, head.headers), streamChannel(stream));
  }

  #closed(): void {
    if (this.#done) {
      if (this.at !== 0) this.#parts.deadlines.disarm(this);
      return;
    }
    const lost = this.#session?.lost === true;
    // RFC 9113 §8.7: a refused stream was not processed at all.
    if (!lost && this.#code === constants.NGHTTP2_REFUSED_STREAM && this.#canMove() && this.#parts.pool.mayMove()) {
      this.#move();
    } else if (!lost && this.#wantsHttp1 && this.#canMove()) {
      this.#letGo();
      this.elsewhere();
    } else this.#fail(this.#failure({ unprocessed: false }));
  }

  // ---- ends

  #failure(how: { readonly unprocessed: boolean }): GatewayError {
    const session = this.#session as UpstreamSession;
    const code = this.#error !== null && isSessionBroken(this.#error) ? constants.NGHTTP2_PROTOCOL_ERROR : this.#code;
    return streamFailure(
      { code, unprocessed: how.unprocessed, lost: session.lost, cause: session.error ?? this.#error },
      {
        sent: true,
        reused: this.#reused,
        responseBegun: this.#responseBegun,
        headDelivered: this.#headDelivered,
      },
    );
  }

  /** RFC 9113 §7. Only where ALPN chooses the protocol is there another one on the same port. */
  get #wantsHttp1(): boolean {
    return this.#code === constants.NGHTTP2_HTTP_1_1_REQUIRED && this.#attempt.destination.tls !== null;
  }

  get #code(): number {
    const code = this.stream?.rstCode ?? constants.NGHTTP2_NO_ERROR;
    const { NGHTTP2_REFUSED_STREAM, NGHTTP2_HTTP_1_1_REQUIRED } = constants;
    const saysUnseen = code === NGHTTP2_REFUSED_STREAM || code === NGHTTP2_HTTP_1_1_REQUIRED;
    // Node gives a stream the code of the GOAWAY that ended its session; those above its last stream are `unprocessed`.
    return saysUnseen && this.#error !== null && isSessionError(this.#error) ? constants.NGHTTP2_NO_ERROR : code;
  }

  /** Reports `error` and gives the stream up. */
  #abort(error: GatewayError): void {
    this.#fail(error);
    this.#reset(constants.NGHTTP2_CANCEL);
  }

  #reset(code: number): void {
    const { stream } = this;
    if (stream === null || stream.closed || stream.destroyed) return;
    stream.close(code);
    // What is unread is nobody's, and keeps the stream from closing.
    stream.resume();
  }

  #fail(error: GatewayError): void {
    this.#settle();
    this.#into.fail(error);
  }

  /** Nothing is reported after this, and nothing is taken from the request body: another attempt may want it. */
  #settle(): void {
    this.#done = true;
    if (this.at !== 0) this.#parts.deadlines.disarm(this);
    this.#upload?.detach();
  }
}
