import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import type { Socket } from 'node:net';
import type { Clock, CoarseClock, Deadline, TimerHandle } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { Destination } from '../../exchange/attempt.ts';
import { Silence } from './silence.ts';
import { notGreeted, settingsTimeout } from './stream-failure.ts';

/** Streams that we open on one session at most, if the endpoint allows as many (RFC 9113 §5.1.2 advises no fewer than 100). */
export const MAX_STREAMS = 100;
/**
 * What one stream may send ahead of a slow client. Times `MAX_STREAMS` it bounds the memory of a session: Node takes a stopped
 * stream's bytes out of the session's window, so that stopped ones never hold up the others.
 */
const STREAM_WINDOW_BYTES = 512 * 1024;
/** What all of them may have on the wire: 4 MiB a round trip, where 64 KiB would be a tenth of a megabyte a millisecond. */
const SESSION_WINDOW_BYTES = 4 * 1024 * 1024;
/** A request head longer than this is not sent. Listeners accept far less. */
const MAX_SENT_HEAD_BYTES = 1024 * 1024;
/** Stream identifiers are used up after 2³⁰ − 1 requests (RFC 9113 §5.1.1). */
const MAX_REQUESTS = 1_000_000_000;
/** So long an endpoint that refused a stream is given no more of them at once than it had then. */
const RESTRAINT_MS = 10_000;
/** A session that was closed politely is cut off after this. */
const LINGER_MS = 1_000;

/** A stream's user, as its session sees it. */
export interface SessionStream {
  readonly stream: ClientHttp2Stream | null;
  /** GOAWAY: this stream was not and will not be looked at. */
  unprocessed(): void;
}

export interface SessionOwner {
  /** A session that has nothing to do stays open. */
  readonly keepsIdle: boolean;
  /** The endpoint's SETTINGS came: streams may be opened. */
  ready(session: UpstreamSession): void;
  /** It never became ready. `closed` follows. */
  failed(session: UpstreamSession, error: GatewayError): void;
  /** Room for a stream has appeared, or the session takes none any more. */
  changed(session: UpstreamSession): void;
  /** The socket is closed. */
  closed(session: UpstreamSession): void;
}

export interface SessionParts {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  readonly owner: SessionOwner;
  readonly maxHeadBytes: number;
  /** In [0, 1), its own: so that sessions that were made together do not end together. */
  readonly chance: number;
}

/**
 * One HTTP/2 connection to an endpoint. Takes streams once the endpoint's SETTINGS have come, which costs a new session a round
 * trip at most and tells exactly how many streams it may have, whether it does extended CONNECT, and that it is HTTP/2 at all.
 */
export class UpstreamSession implements Deadline {
  at = 0;
  slot = 0;
  /** Streams opened on it. */
  served = 0;
  /** A head has come on one of its streams. */
  answered = false;
  /** Why the socket failed. Set before streams hear of it. */
  error: Error | null = null;
  /** The connection has failed or closed. Set before streams hear of it. */
  lost = false;
  readonly #socket: Socket;
  readonly #session: ClientHttp2Session;
  readonly #parts: SessionParts;
  /** By the stream that each has here: who has left it for another session may be there before this one has closed. */
  readonly #users = new Map<ClientHttp2Stream, SessionStream>();
  readonly #silence: Silence;
  readonly #madeAt: number;
  #phase: 'greeting' | 'ready' | 'leaving' = 'greeting';
  #failed = false;
  #maxStreams = 0;
  /** Until then `#maxStreams` may be less than SETTINGS say: the endpoint refused one. 0 for never. */
  #restrainedUntil = 0;
  #timer: TimerHandle | null;

  /** The socket must already have an error listener. */
  constructor(socket: Socket, parts: SessionParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.#silence = new Silence(parts.clock);
    this.#madeAt = parts.clock.monotonic();
    // Before Node's session adds its own: what its streams are told then must find these set.
    socket.on('error', (error) => {
      this.error ??= error;
      this.lost = true;
      // Node leaves a socket open that failed in TLS; TLS 1.3 endpoints refuse a client certificate behind the handshake.
      queueMicrotask(() => socket.destroy());
    });
    socket.on('close', () => this.#closed());
    const session = connect('http://endpoint', {
      createConnection: () => socket,
      settings: {
        enablePush: false,
        initialWindowSize: STREAM_WINDOW_BYTES,
        // Beyond our own limit by a margin, so that what is a little too large is refused with its reason.
        maxHeaderListSize: 4 * parts.maxHeadBytes,
      },
      maxReservedRemoteStreams: 0,
      maxHeaderListPairs: 1024,
      maxSendHeaderBlockLength: MAX_SENT_HEAD_BYTES,
      maxSettings: 32,
      peerMaxConcurrentStreams: MAX_STREAMS,
      strictSingleValueFields: false,
    } as Parameters<typeof connect>[1]);
    this.#session = session;
    session.on('error', (error: Error) => {
      this.error ??= error;
    });
    session.on('remoteSettings', () => this.#settings());
    session.on('goaway', (_code, lastStreamId) => this.#goaway(lastStreamId));
    if (!session.destroyed) session.setLocalWindowSize(SESSION_WINDOW_BYTES);
    const { connectTimeoutMs } = parts.destination.limits;
    this.#timer =
      connectTimeoutMs === 0 ? null : parts.clock.after(connectTimeoutMs, () => this.#fail(settingsTimeout()));
  }

  /** One more stream can be opened. */
  get hasRoom(): boolean {
    return this.takesStreams && this.#users.size < this.#maxStreams;
  }

  /** It is not on its way out. */
  get takesStreams(): boolean {
    return this.#phase === 'ready' && !this.lost && !this.#session.closed && !this.#session.destroyed;
  }

  get isGreeting(): boolean {
    return this.#phase === 'greeting' && !this.lost;
  }

  get busy(): boolean {
    return this.#users.size > 0;
  }

  /** Extended CONNECT (RFC 8441 §3). */
  get tunnels(): boolean {
    return this.#session.remoteSettings.enableConnectProtocol === true;
  }

  /** Begins a stream for `user`. May throw what Node thinks of the fields; then there is none. */
  open(user: SessionStream, fields: readonly string[], options: { endStream: boolean; waitForTrailers: boolean }) {
    const stream = this.#session.request(fields as string[], options);
    this.served += 1;
    if (this.#isSpent()) this.#phase = 'leaving';
    this.#users.set(stream, user);
    if (this.#users.size === 1) {
      this.#silence.begin(this.#socket.bytesRead);
      this.#parts.deadlines.arm(this, this.#silence.nextLookMs);
    }
    stream.on('close', () => {
      if (stream.rstCode === constants.NGHTTP2_REFUSED_STREAM) this.#restrain();
      this.#released(stream);
    });
    return stream;
  }

  /** A head or a piece of a body came on one of its streams. */
  heard(): void {
    this.answered = true;
    this.#silence.heard = true;
  }

  /** Takes no more streams, and closes when the last one ends. */
  leave(): void {
    if (this.#phase === 'greeting') {
      this.drop();
      return;
    }
    this.#phase = 'leaving';
    if (this.#users.size === 0) this.#close();
  }

  /** Closes it at once, whatever it is doing. */
  drop(): void {
    this.lost = true;
    this.#socket.destroy();
  }

  /** Idle for long enough, or time to see whether the endpoint is still there. */
  expire(): void {
    if (this.#users.size === 0) {
      this.leave();
      return;
    }
    const pulse = this.#silence.look(this.#socket.bytesRead);
    if (pulse === 'dead') {
      this.error ??= new Error('No answer to a PING');
      this.drop();
      return;
    }
    if (pulse === 'ask' && !this.#session.closed && !this.#session.destroyed) this.#session.ping(() => {});
    this.#parts.deadlines.arm(this, this.#silence.nextLookMs);
  }

  /** RFC 9113 §5.1.2: what is beyond an endpoint's limit is refused, and the limit may be lower than what it had announced. */
  #restrain(): void {
    if (this.#users.size <= 1) return;
    this.#maxStreams = Math.min(this.#maxStreams, this.#users.size - 1);
    this.#restrainedUntil = this.#parts.clock.monotonic() + RESTRAINT_MS;
  }

  #setMaxStreams(): void {
    this.#restrainedUntil = 0;
    this.#maxStreams = Math.min(MAX_STREAMS, this.#session.remoteSettings.maxConcurrentStreams ?? MAX_STREAMS);
  }

  #settings(): void {
    this.#setMaxStreams();
    if (this.#phase !== 'greeting') {
      this.#parts.owner.changed(this);
      return;
    }
    this.#stopTimer();
    this.#phase = 'ready';
    this.#parts.owner.ready(this);
    if (this.#users.size === 0) this.#rest();
  }

  /** It has served for long enough: others behind the same address may want their share. */
  #isSpent(): boolean {
    const { clock, chance, destination } = this.#parts;
    const { maxRequests = 0, maxAgeMs = 0 } = destination.limits;
    if (this.served >= (maxRequests === 0 ? MAX_REQUESTS : maxRequests)) return true;
    return maxAgeMs > 0 && clock.monotonic() - this.#madeAt >= maxAgeMs * (1 - chance / 10);
  }

  #goaway(lastStreamId: number): void {
    if (this.#phase === 'ready') this.#phase = 'leaving';
    for (const [stream, user] of this.#users) {
      if (user.stream !== stream) continue;
      const { id } = stream;
      // Without an id it was never sent.
      if (id === undefined || id > lastStreamId) user.unprocessed();
    }
    this.#parts.owner.changed(this);
    if (this.#users.size === 0) this.#linger();
  }

  #released(stream: ClientHttp2Stream): void {
    this.#users.delete(stream);
    if (this.#restrainedUntil > 0 && this.#parts.clock.monotonic() >= this.#restrainedUntil) this.#setMaxStreams();
    if (this.#users.size === 0) {
      this.#parts.deadlines.disarm(this);
      if (this.#phase === 'leaving') this.#close();
    }
    if (this.lost) return;
    if (this.#session.destroyed) this.#linger();
    if (this.#phase === 'ready') this.#parts.owner.changed(this);
    if (this.#users.size === 0 && this.#phase === 'ready') this.#rest();
  }

  /** Nothing to do. HTTP/2 has no keep-alive race: a request that crosses a GOAWAY is known to be unprocessed. */
  #rest(): void {
    const { keepAliveMs } = this.#parts.destination.limits;
    if (keepAliveMs === 0 || !this.#parts.owner.keepsIdle) this.leave();
    else this.#parts.deadlines.arm(this, keepAliveMs);
  }

  /** GOAWAY, then FIN. */
  #close(): void {
    if (!this.#session.destroyed) this.#session.destroy();
    this.#linger();
  }

  /** A session waits for its socket to close, and for a peer that does nothing it would wait for ever. */
  #linger(): void {
    if (this.#timer !== null || this.#socket.destroyed) return;
    this.#timer = this.#parts.clock.after(LINGER_MS, () => this.#socket.destroy());
  }

  #fail(error: GatewayError): void {
    if (this.#failed || this.#phase !== 'greeting') return;
    this.#failed = true;
    this.drop();
    this.#parts.owner.failed(this, error);
  }

  #closed(): void {
    this.lost = true;
    this.#stopTimer();
    this.#parts.deadlines.disarm(this);
    if (this.#phase === 'greeting' && !this.#failed) {
      this.#failed = true;
      this.#parts.owner.failed(this, notGreeted(this.error));
    }
    this.#parts.owner.closed(this);
  }

  #stopTimer(): void {
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }
}
