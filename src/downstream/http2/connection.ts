import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import type { Client } from '../../exchange/exchange.ts';
import type { HeaderList } from '../../http/headers.ts';
import { RECENT_MS, SWEEP_MS, type Tended } from '../connections.ts';
import type { FrontParts } from '../front.ts';
import { refusalFields, refusalText } from '../refusal.ts';
import { type BodyWire, RequestBody } from '../request-body.ts';
import { Http2Exchange } from './exchange.ts';
import { Liveness } from './liveness.ts';
import { type BadStream, readStreamHead, type StreamHead } from './request-head.ts';
import { endedByClient, handshakeFields, UpgradeByStream } from './upgrade.ts';

/** Request bytes that one stream, and all streams of a session together, may have in flight towards a slow reader. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 1024 * 1024;

/**
 * Streams that a client may reset: so many at once, and so many per second in the long run. Browsers reset by the hundred
 * when a page is reloaded; an attacker (CVE-2023-44487) by the hundred thousand.
 */
const RESET_BURST = 2_000;
const RESETS_PER_SECOND = 100;

const LAST_STREAM_ID = 2 ** 31 - 1;

/** One HTTP/2 session: its streams become exchanges. Works on Node's core API, without its request and response objects. */
export class Http2Connection implements Tended {
  readonly #client: Client;
  readonly #parts: FrontParts;
  readonly #socket: TLSSocket;
  readonly #session: ServerHttp2Session;
  readonly #liveness = new Liveness();
  readonly #exchanges = new Set<Http2Exchange>();
  #since: number;
  /** The client has finished the HTTP/2 preface: before, it gets no longer than for a request head. */
  #greeted = false;
  #retiring = false;
  #dismissed = false;

  constructor(socket: TLSSocket, client: Client, parts: FrontParts) {
    this.#socket = socket;
    this.#client = client;
    this.#parts = parts;
    this.#since = parts.connections.now;
    const { limits } = parts.options;
    // Half-open is for HTTP/1.x: Node's session waits for its socket to close, and after a FIN alone it would wait for ever.
    socket.allowHalfOpen = false;
    const session = performServerHandshake(socket, {
      settings: {
        enableConnectProtocol: true,
        maxConcurrentStreams: limits.streams,
        initialWindowSize: STREAM_WINDOW_BYTES,
        // Beyond our own limits by a margin, so that what is a little too large is answered by 431, not by a reset.
        maxHeaderListSize: 4 * limits.headerBytes,
      },
      maxHeaderListPairs: 2 * limits.headerCount + 8,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      maxSettings: 32,
      maxOutstandingPings: 10,
      streamResetBurst: RESET_BURST,
      streamResetRate: RESETS_PER_SECOND,
      // A repeated field is the endpoint's and the client's business: passed on as it is.
      strictSingleValueFields: false,
    });
    this.#session = session;
    session.on('error', ignoreError);
    session.on('stream', (stream, _headers, flags, fields) => this.#take(stream, flags, fields));
    session.on('remoteSettings', () => {
      this.#greeted = true;
    });
    session.on('connect', () => {
      if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    });
    session.on('close', () => parts.connections.detach(this));
  }

  tend(nowMs: number): void {
    const { limits } = this.#parts.options;
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

  #take(stream: ServerHttp2Stream, flags: number, fields: HeaderList): void {
    stream.on('error', ignoreError);
    if (stream.destroyed) return;
    const head = readStreamHead(fields, {
      headerBytes: this.#parts.options.limits.headerBytes,
      headerCount: this.#parts.options.limits.headerCount,
      underscores: this.#parts.options.underscores,
    });
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
    const exchange = new Http2Exchange({
      stream,
      listener: this.#parts.options.name,
      request,
      client: this.#parts.addresses.forRequest(this.#client, request.headers),
      body: bodyless ? null : new RequestBody(stream, wireOf(stream), head.contentLength),
      expectsContinue: head.expectsContinue && !bodyless,
      isHead: request.method === 'HEAD',
      ended: (over) => this.#ended(over),
    });
    if (protocol !== null) exchange.upgrade = new UpgradeByStream(protocol, stream, exchange);
    return exchange;
  }

  #ended(exchange: Http2Exchange): void {
    this.#exchanges.delete(exchange);
    if (this.#exchanges.size > 0) return;
    this.#since = this.#parts.connections.now;
    // After a GOAWAY and without streams nghttp2 reads no more, not even the answer to our PING.
    if (this.#dismissed && !this.#session.closed && !this.#session.destroyed) this.#session.close();
  }

  #refuse(stream: ServerHttp2Stream, bad: BadStream): void {
    this.#parts.log.refused({
      listener: this.#parts.options.name,
      peer: this.#client.peer,
      status: bad.status,
      reason: bad.reason,
    });
    const text = refusalText(bad.status, bad.reason);
    const fields = refusalFields(text).map((part, i) => (i % 2 === 0 ? part.toLowerCase() : part));
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

function wireOf(stream: ServerHttp2Stream): BodyWire {
  let trailers: HeaderList = [];
  let complete = false;
  // Node ends the readable side of a stream that was reset as if all had come.
  stream.on('end', () => {
    complete = endedByClient(stream);
  });
  stream.on('trailers', (_headers, _flags, fields: HeaderList) => {
    trailers = fields;
  });
  return {
    get complete() {
      return complete;
    },
    get trailers() {
      return trailers;
    },
    stop: () => stream.close(constants.NGHTTP2_NO_ERROR),
  };
}

/** What follows an error is `close`, and everybody who must know listens for that. */
function ignoreError(): void {}
