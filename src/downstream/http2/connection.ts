import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { Client } from '../../exchange/exchange.ts';
import type { HeaderList } from '../../http/headers.ts';
import { RECENT_MS, SWEEP_MS, type Tended } from '../connections.ts';
import type { FrontParts } from '../front.ts';
import { refusalFields, refusalText } from '../refusal.ts';
import { RequestBody } from '../request-body.ts';
import { wireOf } from './body-wire.ts';
import { Http2Exchange, type SessionOwner } from './exchange.ts';
import { Liveness } from './liveness.ts';
import { HTTP2_PROFILES } from './profile.ts';
import { type BadStream, readStreamHead, type StreamHead, type StreamLimits } from './request-head.ts';
import { openSession } from './session.ts';
import type { SessionError } from './session-errors.ts';
import { type Condemned, SessionGuard } from './session-guard.ts';
import { handshakeFields, UpgradeByStream } from './upgrade.ts';
import { UploadWindow } from './upload-window.ts';

/** A session that was ended for an error is cut off when its client has not taken the GOAWAY by then. */
const FAREWELL_MS = 2_000;

const LAST_STREAM_ID = 2 ** 31 - 1;

/** One HTTP/2 session: its streams become exchanges. Works on Node's core API, without its request and response objects. */
export class Http2Connection implements Tended, SessionOwner {
  readonly #client: Client;
  readonly #parts: FrontParts;
  readonly #socket: Socket;
  readonly #session: ServerHttp2Session;
  readonly #uploads: UploadWindow;
  readonly #guard: SessionGuard;
  readonly #limits: StreamLimits;
  readonly #liveness = new Liveness();
  readonly #exchanges = new Set<Http2Exchange>();
  #since: number;
  /** The client has finished the HTTP/2 preface: before, it gets no longer than for a request head. */
  #greeted = false;
  #retiring = false;
  #dismissed = false;
  #condemned = false;
  #brokenSince = 0;

  constructor(socket: Socket, client: Client, parts: FrontParts) {
    this.#socket = socket;
    this.#client = client;
    this.#parts = parts;
    this.#since = parts.connections.now;
    const { limits, underscores } = parts.options;
    const profile = HTTP2_PROFILES[parts.options.profile];
    const session = openSession(socket, limits, profile);
    this.#session = session;
    this.#limits = {
      headerBytes: limits.headerBytes,
      headerCount: limits.headerCount,
      underscores,
      scheme: client.tls === null ? 'http' : 'https',
    };
    this.#uploads = new UploadWindow(session);
    this.#guard = new SessionGuard(session, profile, {
      now: () => parts.connections.now,
      headTimeout: limits.headTimeout,
      condemn: (reason) => this.#condemn(reason),
    });
    session.on('error', (error) => this.#broke(error));
    session.on('stream', (stream, _headers, flags, fields) => this.#take(stream, flags, fields));
    session.on('remoteSettings', () => {
      this.#greeted = true;
    });
    session.on('close', () => parts.connections.detach(this));
  }

  tend(nowMs: number): void {
    const { limits } = this.#parts.options;
    if (this.#session.destroyed && !this.#session.closed) {
      this.#bury(nowMs);
      return;
    }
    this.#guard.tend(nowMs, this.#socket.bytesRead, this.#exchanges);
    if (this.#exchanges.size > 0) {
      for (const exchange of this.#exchanges) exchange.tend(nowMs, limits.bodyRate);
      this.#askIfSilent(nowMs);
      return;
    }
    // When retiring, a client that was busy a moment ago may have sent one more request already.
    const idleLimit = this.#retiring ? RECENT_MS : limits.idleTimeout;
    const limit = this.#greeted ? idleLimit : limits.headTimeout;
    if (limit === 0 || nowMs - this.#since < limit + SWEEP_MS) return;
    // One that was closed before and is still here waits for a client that does not answer.
    if (this.#greeted && !this.#session.closed) this.#session.close();
    else this.#cutOff();
  }

  retire(): void {
    this.#retiring = true;
    if (this.#exchanges.size > 0) this.#dismiss();
    else this.tend(this.#parts.clock.monotonic());
  }

  /**
   * RFC 9113 §6.8: a first GOAWAY that still takes every stream, so that none which is on its way is refused; when the PING
   * behind it is answered, no more are. Only while a stream is open: nghttp2 ends an idle session at once, and a stream
   * that is on its way with it.
   */
  #dismiss(): void {
    const session = this.#session;
    if (this.#dismissed || session.closed || session.destroyed) return;
    this.#dismissed = true;
    session.goaway(constants.NGHTTP2_NO_ERROR, LAST_STREAM_ID);
    session.ping(() => {
      if (!session.closed && !session.destroyed) session.close();
    });
  }

  #askIfSilent(nowMs: number): void {
    const pulse = this.#liveness.pulse(nowMs, this.#socket.bytesRead, this.#session.closed);
    if (pulse === 'dead') this.#cutOff();
    else if (pulse === 'ask' && this.#ask()) {
      // The client's time starts when the question has had a turn of the event loop to leave.
      setImmediate(() => this.#liveness.asked());
    }
  }

  /** A PING. After a GOAWAY, the client's or ours, Node sends none; SETTINGS must be acknowledged as well (RFC 9113 §6.5.3). */
  #ask(): boolean {
    const session = this.#session;
    if (session.destroyed) return false;
    if (!session.closed) return session.ping(ignoreError);
    session.settings({});
    return true;
  }

  /** A session that has said GOAWAY waits for its socket to close, and for one whose client is gone it would wait for ever. */
  #cutOff(): void {
    this.#session.destroy();
    this.#socket.destroy();
  }

  /** Ends the session for what its client does with it. */
  #condemn(reason: Condemned): void {
    if (this.#condemned || this.#session.destroyed) return;
    this.#condemned = true;
    this.#report(reason);
    this.#session.destroy(new Error(reason), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  }

  /** Node has ended the session: for the client's breach of the protocol, or because the connection is gone. */
  #broke(error: SessionError): void {
    const reason = this.#guard.reasonOf(error);
    if (reason !== null && !this.#condemned) this.#report(reason);
  }

  /** The GOAWAY of a session that was ended for an error leaves with the next turn, unless its client reads nothing. */
  #bury(nowMs: number): void {
    if (this.#brokenSince === 0) this.#brokenSince = nowMs;
    else if (nowMs - this.#brokenSince >= FAREWELL_MS) this.#socket.destroy();
  }

  #report(reason: string, status = 0): void {
    this.#parts.log.refused({ listener: this.#parts.options.name, peer: this.#client.peer, status, reason });
  }

  #take(stream: ServerHttp2Stream, flags: number, fields: HeaderList): void {
    stream.on('error', ignoreError);
    this.#guard.headEnded(stream.id ?? 0, this.#limits.headerBytes);
    if (stream.destroyed) {
      this.#guard.streamEnded(0, true);
      return;
    }
    const head = readStreamHead(fields, this.#limits);
    if ('reason' in head) {
      this.#refuse(stream, head);
      return;
    }
    const exchange = this.#exchangeOf(stream, head, (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0);
    this.#exchanges.add(exchange);
    if (this.#retiring) this.#dismiss();
    try {
      this.#parts.handle(exchange);
    } catch (bug) {
      this.#parts.log.broke(bug);
      stream.close(constants.NGHTTP2_INTERNAL_ERROR);
    }
  }

  #exchangeOf(stream: ServerHttp2Stream, head: StreamHead, ended: boolean): Http2Exchange {
    const { protocol } = head;
    const request =
      protocol === null ? head.request : { ...head.request, headers: handshakeFields(protocol, head.request.headers) };
    const bodyless = ended || protocol !== null;
    if (!ended) this.#uploads.watch(stream);
    const exchange = new Http2Exchange({
      stream,
      listener: this.#parts.options.name,
      request,
      client: this.#parts.addresses.forRequest(this.#client, request.headers),
      body: bodyless ? null : new RequestBody(stream, wireOf(stream), head.contentLength),
      expectsContinue: head.expectsContinue && !bodyless,
      isComplete: ended,
      isHead: request.method === 'HEAD',
      isTunnel: protocol !== null,
      session: this,
    });
    if (protocol !== null) exchange.upgrade = new UpgradeByStream(protocol, stream, exchange);
    return exchange;
  }

  exchangeEnded(exchange: Http2Exchange): void {
    this.#exchanges.delete(exchange);
    this.#guard.streamEnded(exchange.explained, exchange.wasReset);
    if (this.#exchanges.size > 0) return;
    this.#since = this.#parts.connections.now;
    // After a GOAWAY and without streams nghttp2 reads no more, not even the answer to our PING.
    if (this.#dismissed && !this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  #refuse(stream: ServerHttp2Stream, bad: BadStream): void {
    this.#report(bad.reason, bad.status);
    const text = refusalText(bad.status, bad.reason);
    const fields = refusalFields(text, this.#parts.options.hsts).map((part, i) =>
      i % 2 === 0 ? part.toLowerCase() : part,
    );
    try {
      stream.respond([':status', String(bad.status), ...fields]);
      stream.end(text, () => {
        if (!stream.closed) stream.close(constants.NGHTTP2_NO_ERROR);
      });
    } catch {
      // ERR_HTTP2_INVALID_STREAM: reset while we looked at it.
      stream.destroy();
    }
  }
}

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
