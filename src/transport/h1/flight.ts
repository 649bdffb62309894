import type { CoarseClock, Deadline } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { Attempt, AttemptReceiver, InFlight } from '../../exchange/attempt.ts';
import type { HeaderList } from '../../http/headers.ts';
import { isIdempotent } from '../../http/method.ts';
import type { Connection } from '../connection.ts';
import type { ConnectionPool, Waiter } from '../connection-pool.ts';
import {
  attemptFailure,
  connectionLost,
  headTimeout,
  headTooLarge,
  incomplete,
  internal,
  lengthMismatch,
  protocolError,
  queueTimeout,
  type Stage,
  unsendable,
  writeTimeout,
} from '../failure.ts';
import { proxyHeader } from '../proxy-header.ts';
import { keepAliveMs } from '../response-head.ts';
import type { Line, LineUser } from './line.ts';
import { framing, requestHead } from './request-head.ts';
import type { ResponseFault, ResponseListener } from './response-reader.ts';
import { Upload, type UploadOwner } from './upload.ts';

/** An endpoint that sends more interim responses than this for one request is not going to answer. */
const MAX_INTERIM = 32;
/** A connection may be lost before the request is written on it; after so many in a row it is the endpoint's fault. */
const MAX_MOVES = 3;

/**
 * One attempt on its way: waiter for a connection, its user, ear for the response, deadline, and what the engine holds to cancel it, in
 * one object. Hot: made once per attempt, beside it only an `Upload` where there is a body.
 *
 * waiting → assigned (the connection is being checked) → started (written, or being written) → done.
 */
export class LeanFlight implements InFlight, Waiter, Deadline, LineUser, ResponseListener, UploadOwner {
  readonly attempt: Attempt;
  readonly preamble: string | null;
  /** Deadline for the queue, later for the response head. */
  at = 0;
  slot = 0;
  readonly #into: AttemptReceiver;
  readonly #pool: ConnectionPool;
  readonly #deadlines: CoarseClock;
  #connection: Connection | null = null;
  #line: Line | null = null;
  #upload: Upload | null = null;
  #started = false;
  #reused = false;
  #headDelivered = false;
  #done = false;
  #requestSent = false;
  /** The receiver is being called with what was received. */
  #calling = false;
  /** Body chunks written when the deadline was last looked at. */
  #writtenBefore = 0;
  #interim = 0;
  #moves = 0;
  /** Why the connection is being closed, when that is not for the socket to say. */
  #failure: GatewayError | null = null;

  constructor(attempt: Attempt, into: AttemptReceiver, parts: { pool: ConnectionPool; deadlines: CoarseClock }) {
    this.attempt = attempt;
    this.#into = into;
    this.#pool = parts.pool;
    this.#deadlines = parts.deadlines;
    const { destination } = attempt;
    this.preamble = destination.proxyProtocol === null ? null : proxyHeader(destination.proxyProtocol, attempt.client);
  }

  // ---- in need of a connection

  /** Begins. Reports every failure through the receiver. */
  start(): void {
    const { method, target } = this.attempt;
    if (method === 'CONNECT') this.#fail(unsendable('connect-not-supported'));
    else if (target.charCodeAt(0) !== 0x2f) this.#fail(unsendable('not-origin-form'));
    else this.#pool.acquire(this);
  }

  get repeatable(): boolean {
    return isIdempotent(this.attempt.method);
  }

  queued(timeoutMs: number): void {
    this.#deadlines.arm(this, timeoutMs);
  }

  assigned(connection: Connection): void {
    if (this.at !== 0) this.#deadlines.disarm(this);
    this.#connection = connection;
    this.#line = connection.line;
    connection.line?.use(this, connection.used);
  }

  refused(error: GatewayError): void {
    if (!this.#done) this.#fail(error);
  }

  lostEarly(): void {
    this.#connection = null;
    this.#line = null;
    if (this.#done) return;
    this.#moves += 1;
    // Nothing was written, and nobody needs to know.
    if (this.#moves <= MAX_MOVES) this.#pool.acquire(this);
    else this.#fail(connectionLost(null, this.#stage()));
  }

  // ---- stopped from this side

  cancel(): void {
    if (this.#done) return;
    this.#settle();
    const connection = this.#connection;
    if (connection === null) this.#pool.forget(this);
    else if (this.#started) this.#close();
    else {
      this.#let();
      connection.release();
    }
  }

  expire(): void {
    if (this.#connection === null) {
      this.#pool.forget(this);
      this.#fail(queueTimeout());
      return;
    }
    if (!this.#requestSent && !this.#isStalled()) {
      this.#writtenBefore = this.#upload?.written ?? 0;
      this.#deadlines.arm(this, this.attempt.headTimeoutMs);
      return;
    }
    this.#abort(this.#requestSent ? headTimeout() : writeTimeout());
  }

  /** The endpoint took nothing for a whole period. A client that sends nothing is not the endpoint's fault. */
  #isStalled(): boolean {
    return this.#upload?.written === this.#writtenBefore && this.#connection?.socket.writableNeedDrain === true;
  }

  // ---- the request

  begin(): void {
    try {
      this.#begin(this.#connection as Connection, this.#line as Line);
    } catch (error) {
      this.#crashed(error);
    }
  }

  #begin(connection: Connection, line: Line): void {
    const { attempt } = this;
    const head = requestHead(attempt);
    if (head === null) {
      this.#let();
      connection.release();
      this.#fail(internal('unsendable-request', null));
      return;
    }
    this.#started = true;
    this.#reused = connection.used;
    if (this.#reused) this.#pool.counts.reused += 1;
    connection.served += 1;
    line.responses.expect(attempt.method, this);
    this.#into.sent(this.#reused);
    if (this.#done) return;
    const { body } = attempt;
    if (body === null || body.length === 0) {
      line.socket.write(head + framing(attempt.method, 0), 'latin1');
      this.uploaded();
      return;
    }
    connection.prepareUpload();
    if (attempt.headTimeoutMs > 0) this.#deadlines.arm(this, attempt.headTimeoutMs);
    this.#upload = new Upload(body, attempt.method, this);
    this.#upload.begin(head, line.socket);
  }

  uploaded(): void {
    this.#requestSent = true;
    if (this.#done || this.#headDelivered) return;
    if (this.attempt.headTimeoutMs > 0) this.#deadlines.arm(this, this.attempt.headTimeoutMs);
  }

  bodyFailed(cause: GatewayError): void {
    if (!this.#done) this.#abort(cause);
  }

  bodyMismatched(): void {
    if (!this.#done) this.#abort(lengthMismatch());
  }

  drained(): void {
    this.#upload?.drained();
  }

  // ---- the response

  /** Hot. */
  take(bytes: Buffer, length: number): void {
    const line = this.#line as Line;
    this.#calling = true;
    try {
      line.responses.take(bytes, length);
    } catch (error) {
      this.#crashed(error);
    }
    this.#calling = false;
    if (!this.#done && line.responses.paused) line.socket.pause();
  }

  interim(status: number, headers: HeaderList): void {
    this.#interim += 1;
    if (this.#interim > MAX_INTERIM) this.#abort(protocolError('too-many-interim-responses'));
    // We never ask for one, so it is nobody's: whoever waits for the body to be wanted has heard so already (RFC 9110 §15.2).
    else if (status !== 100) this.#into.informational(status, headers);
  }

  head(status: number, headers: HeaderList, last: boolean): void {
    const connection = this.#connection as Connection;
    const { keepAlive } = (this.#line as Line).responses;
    if (keepAlive !== null) connection.saidMs = keepAliveMs(keepAlive) ?? connection.saidMs;
    if (this.at !== 0) this.#deadlines.disarm(this);
    this.#headDelivered = true;
    const resume = (): void => this.#resume();
    this.#into.onDrain = resume;
    this.#into.head({ status, headers }, last);
  }

  get letsGo(): boolean {
    return this.#into.letsGo === true;
  }

  data(chunk: Buffer): boolean {
    return this.#into.data(chunk);
  }

  whole(trailers: HeaderList | null, reusable: boolean): void {
    const connection = this.#connection as Connection;
    this.#settle();
    this.#let();
    if (reusable && this.#requestSent && this.attempt.destination.limits.keepAliveMs !== 0) connection.release();
    else {
      this.#pool.heard(connection);
      connection.destroy();
    }
    this.#into.end(trailers);
  }

  /** Told when the connection is closed: a head that was received with what is wrong goes to the client before that. */
  broken(fault: ResponseFault): void {
    if (this.at !== 0) this.#deadlines.disarm(this);
    this.#failure = failureOf(fault);
    // Perhaps it is closed already.
    if (this.#line?.responses.ending === true) this.#abort(this.#failure);
    else this.#connection?.destroy();
  }

  ended(): boolean {
    try {
      return (this.#line as Line).responses.ended();
    } catch (error) {
      this.#crashed(error);
      return true;
    }
  }

  lost(error: Error | null): void {
    // All of it was received, and the receiver is not through with it: `#resume` goes on.
    if (!this.#done && this.#line?.responses.ending === true) return;
    const connection = this.#connection as Connection;
    this.#connection = null;
    this.#line = null;
    if (this.#done) return;
    const failure = this.#failure ?? lossOf(error, this.#stage(connection));
    if (failure.retry === 'if-reused') this.#pool.raceLost(connection);
    this.#fail(failure);
  }

  #resume(): void {
    const line = this.#line;
    if (this.#done || line === null || !line.responses.paused) return;
    // From within `data`, which has not returned yet.
    if (this.#calling) {
      queueMicrotask(() => this.#resume());
      return;
    }
    this.#calling = true;
    let goesOn = false;
    try {
      goesOn = line.responses.resume();
      if (goesOn && !this.#done && line.responses.ending && !line.responses.ended()) {
        this.#abort(connectionLost(null, this.#stage()));
      }
    } catch (error) {
      this.#crashed(error);
    }
    this.#calling = false;
    if (goesOn && !line.socket.destroyed) line.socket.resume();
  }

  // ---- ends

  #stage(connection = this.#connection): Stage {
    return {
      sent: this.#started,
      reused: this.#reused,
      responseBegun: connection?.line?.responses.begun === true,
      headDelivered: this.#headDelivered,
    };
  }

  /** A receiver threw: a bug, and the connection is in a state that nobody knows. */
  #crashed(error: unknown): void {
    if (this.#done) this.#close();
    else this.#abort(internal('bug', error));
  }

  /** Reports `error` and closes the connection. */
  #abort(error: GatewayError): void {
    this.#fail(error);
    this.#close();
  }

  #fail(error: GatewayError): void {
    this.#settle();
    try {
      this.#into.fail(error);
    } catch {
      // A receiver's bug. It was told; there is nobody else to tell.
    }
  }

  /** The connection is not ours any more. */
  #let(): void {
    this.#line?.leave();
    this.#line = null;
    this.#connection = null;
  }

  #close(): void {
    const connection = this.#connection;
    this.#let();
    connection?.destroy();
  }

  /** Nothing is reported after this, and nothing is taken from the request body: another attempt may want it. */
  #settle(): void {
    this.#done = true;
    if (this.at !== 0) this.#deadlines.disarm(this);
    this.#upload?.detach();
    if (this.#started) this.#line?.responses.stop();
  }
}

function failureOf(fault: ResponseFault): GatewayError {
  if (fault === 'head-too-large') return headTooLarge();
  return fault === 'trailers-too-large' ? incomplete(fault, null) : protocolError(fault);
}

function lossOf(error: Error | null, stage: Stage): GatewayError {
  return error === null ? connectionLost(null, stage) : attemptFailure(error, stage);
}
