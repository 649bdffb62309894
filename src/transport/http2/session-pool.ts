import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { Clock, CoarseClock } from '../../clock.ts';
import type { GatewayError } from '../../errors.ts';
import type { ConnectionLimits, Destination } from '../../exchange/attempt.ts';
import { BackOff } from '../back-off.ts';
import { ConnectionCounts } from '../connection-counts.ts';
import { Dial, type DialOutcome, TlsClient } from '../dial.ts';
import { alpnRefused, dialFailure, queueFull, shutDown } from '../failure.ts';
import type { KeyedPool } from '../pool-map.ts';
import { MAX_STREAMS, type SessionOwner, UpstreamSession } from './session.ts';

/** A request in need of a stream. Gets exactly one answer, unless it is forgotten. */
export interface StreamWaiter {
  /** May open one stream on it, now. */
  assigned(session: UpstreamSession): void;
  refused(error: GatewayError): void;
  /** The endpoint has chosen HTTP/1.1. */
  elsewhere(): void;
  /** It has to wait, at most so long (0: no limit); it keeps the time itself and then calls `forget`. */
  queued(timeoutMs: number): void;
}

/**
 * Streams that an endpoint refused are sent again as long as they are few: one for ten that it answers, besides this many. Not for ten
 * that it gets: when all fail, retries take all that upstream may get beyond what clients send.
 */
const MOVES = 10;
const MOVES_PER_ANSWER = 0.1;
/** So long an endpoint that may choose is believed that it chose HTTP/1.1; asking costs a handshake. */
const CHOICE_MS = 600_000;

export interface SessionPoolParts {
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  /** A number in [0, 1). */
  readonly random: () => number;
  readonly maxHeadBytes: number;
  /** Called whenever the pool has become empty: no session, no dial, nobody waiting. */
  readonly emptied: () => void;
}

/**
 * The sessions of one connection key: one until its streams are used up, then one more, at most `maxConnections`; the oldest
 * with room is used first, so that surplus ones grow idle and close. Sessions on their way out (GOAWAY) don't count.
 * While sessions are being made as many requests wait as will have room on them, and `maxQueued` more.
 */
export class SessionPool implements KeyedPool, SessionOwner, DialOutcome {
  readonly #parts: SessionPoolParts;
  #destination: Destination;
  readonly #tls: TlsClient | null;
  readonly counts = new ConnectionCounts();
  readonly #sessions = new Set<UpstreamSession>();
  readonly #dials = new Set<Dial>();
  /** In order of arrival. */
  readonly #waiting = new Set<StreamWaiter>();
  #keepsIdle = true;
  #shut = false;
  /** Until then everything goes over HTTP/1.1; 0 for nothing. */
  #http1Until = 0;
  #movesLeft = MOVES;
  readonly #backOff: BackOff;

  constructor(destination: Destination, parts: SessionPoolParts) {
    this.#destination = destination;
    this.#parts = parts;
    this.#backOff = new BackOff(parts.random);
    this.#tls = destination.tls === null ? null : new TlsClient(destination.tls, offered(destination));
  }

  get open(): number {
    return this.#sessions.size + this.#dials.size;
  }

  get busy(): number {
    let busy = this.#dials.size;
    for (const session of this.#sessions) if (session.busy || session.isGreeting) busy += 1;
    return busy;
  }

  get queued(): number {
    return this.#waiting.size;
  }

  get empty(): boolean {
    return this.#sessions.size === 0 && this.#dials.size === 0 && this.#waiting.size === 0;
  }

  get destination(): Destination {
    return this.#destination;
  }

  get limits(): ConnectionLimits {
    return this.#destination.limits;
  }

  get keepsIdle(): boolean {
    return this.#keepsIdle;
  }

  adopt(destination: Destination): void {
    this.#destination = destination;
  }

  /** It may choose, and has lately chosen HTTP/1.1. */
  get prefersHttp1(): boolean {
    return this.#parts.clock.monotonic() < this.#http1Until;
  }

  /**
   * May a stream that the endpoint refused be sent again? The answer counts. An endpoint that refuses everything must not get a
   * multiple of what clients send: that is for the retry budget to decide, which sees nothing of this.
   */
  mayMove(): boolean {
    if (this.#movesLeft < 1) return false;
    this.#movesLeft -= 1;
    return true;
  }

  /** The head of a response has come. Hot. */
  answered(): void {
    this.#movesLeft = Math.min(MOVES, this.#movesLeft + MOVES_PER_ANSWER);
  }

  /** Answers `waiter` now, or when there is room for its stream. Hot. */
  acquire(waiter: StreamWaiter): void {
    if (this.#shut) {
      waiter.refused(shutDown());
      return;
    }
    if (this.#http1Until > 0 && this.prefersHttp1) {
      waiter.elsewhere();
      return;
    }
    for (const session of this.#sessions) {
      if (!session.hasRoom) continue;
      waiter.assigned(session);
      return;
    }
    const { maxQueued, queueTimeoutMs } = this.limits;
    const { coming } = this.#census();
    if (this.#waiting.size >= coming * MAX_STREAMS && !this.#mayDial() && this.#waiting.size >= maxQueued) {
      waiter.refused(queueFull());
      return;
    }
    this.#waiting.add(waiter);
    waiter.queued(queueTimeoutMs);
    this.#dialForWaiting();
  }

  /** One session carries as many requests as anybody would keep connections for. */
  warm(count: number): void {
    const { coming, taking } = this.#census();
    if (count === 0 || coming + taking > 0 || !this.#keepsIdle || !this.#mayDial()) return;
    if (this.#backOff.isOver(this.#parts.clock.monotonic())) this.#dial();
  }

  /** `waiter` wants nothing any more. */
  forget(waiter: StreamWaiter): void {
    if (!this.#waiting.delete(waiter)) return;
    if (!this.#keepsIdle && this.#waiting.size === 0) this.#cancelDials();
    this.#checkEmpty();
  }

  dialled(dial: Dial, socket: Socket): void {
    this.#dials.delete(dial);
    this.counts.made(dial.tookMs);
    if (socket instanceof TLSSocket && socket.alpnProtocol !== 'h2') {
      socket.destroy();
      if (this.#destination.protocol === 'auto') this.#leaveToHttp1();
      else this.#notMade(alpnRefused());
      return;
    }
    this.#http1Until = 0;
    const { clock, deadlines, maxHeadBytes, random } = this.#parts;
    const parts = { clock, deadlines, maxHeadBytes, destination: this.#destination, owner: this, chance: random() };
    this.#sessions.add(new UpstreamSession(socket, parts));
  }

  notDialled(dial: Dial, error: GatewayError): void {
    this.#dials.delete(dial);
    this.#notMade(error);
  }

  ready(): void {
    this.#backOff.succeeded();
    this.#serve();
  }

  failed(_session: UpstreamSession, error: GatewayError): void {
    this.#notMade(error);
  }

  changed(): void {
    this.#serve();
  }

  closed(session: UpstreamSession): void {
    this.#sessions.delete(session);
    this.#serve();
    this.#checkEmpty();
  }

  keepIdle(keep: boolean): void {
    this.#keepsIdle = keep;
    if (keep) return;
    if (this.#waiting.size === 0) this.#cancelDials();
    for (const session of this.#sessions) if (!session.busy && !session.isGreeting) session.leave();
  }

  shut(): void {
    this.#shut = true;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    this.#cancelDials();
    for (const session of this.#sessions) session.drop();
    for (const waiter of waiting) waiter.refused(shutDown());
    this.#checkEmpty();
  }

  /** Gives what room there is to those who wait longest. */
  #serve(): void {
    for (const session of this.#sessions) {
      while (session.hasRoom) {
        const next = this.#nextInLine();
        if (next === null) return;
        next.assigned(session);
      }
    }
    this.#dialForWaiting();
  }

  /**
   * A session could not be made. Whoever has no other to hope for hears why, and so does the one it was made for: every failed
   * dial answers somebody, so that they can't go round in circles.
   */
  #notMade(error: GatewayError): void {
    this.counts.failed(error.reason);
    this.#backOff.failed(this.#parts.clock.monotonic());
    const { coming, taking } = this.#census();
    const waiting = coming + taking === 0 ? [...this.#waiting] : [...this.#waiting].slice(0, 1);
    for (const waiter of waiting) this.#waiting.delete(waiter);
    for (const waiter of waiting) waiter.refused(error);
    this.#dialForWaiting();
    this.#checkEmpty();
  }

  #leaveToHttp1(): void {
    this.#http1Until = this.#parts.clock.monotonic() + CHOICE_MS;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const waiter of waiting) waiter.elsewhere();
    this.#checkEmpty();
  }

  #dialForWaiting(): void {
    while (this.#waiting.size > this.#census().coming * MAX_STREAMS && this.#mayDial()) {
      if (!this.#dial()) return;
    }
  }

  #dial(): boolean {
    try {
      const parts = { tls: this.#tls, clock: this.#parts.clock, outcome: this, preamble: null };
      this.#dials.add(new Dial(this.#destination, parts));
      return true;
    } catch (error) {
      // ERR_SOCKET_BAD_PORT, a CA bundle that is none: what configuration checks should have refused.
      const failure = dialFailure(error, 'tcp');
      const waiting = [...this.#waiting];
      this.#waiting.clear();
      for (const waiter of waiting) waiter.refused(failure);
      return false;
    }
  }

  #mayDial(): boolean {
    const { coming, taking } = this.#census();
    return !this.#shut && coming + taking < this.limits.maxConnections;
  }

  #census(): { readonly coming: number; readonly taking: number } {
    let coming = this.#dials.size;
    let taking = 0;
    for (const session of this.#sessions) {
      if (session.isGreeting) coming += 1;
      else if (session.takesStreams) taking += 1;
    }
    return { coming, taking };
  }

  #nextInLine(): StreamWaiter | null {
    for (const waiter of this.#waiting) {
      this.#waiting.delete(waiter);
      return waiter;
    }
    return null;
  }

  #cancelDials(): void {
    for (const dial of this.#dials) dial.cancel();
    this.#dials.clear();
  }

  #checkEmpty(): void {
    if (this.empty) this.#parts.emptied();
  }
}

function offered({ protocol }: Destination): readonly string[] {
  return protocol === 'auto' ? ['h2', 'http/1.1'] : ['h2'];
}
