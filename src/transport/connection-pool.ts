import type { Socket } from 'node:net';
import type { Clock, CoarseClock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import type { ConnectionLimits, Destination } from '../exchange/attempt.ts';
import { BackOff } from './back-off.ts';
import { type Codec, Connection, type ConnectionOwner } from './connection.ts';
import { ConnectionCounts } from './connection-counts.ts';
import { Dial, type DialOutcome, TlsClient } from './dial.ts';
import { dialFailure, queueFull, shutDown } from './failure.ts';
import { Line } from './h1/line.ts';
import { SocketReader } from './h1/socket-reader.ts';
import { IdleConnections, type Taker } from './idle-connections.ts';
import { Spare, type SpareOwner } from './spare.ts';

/** Connections that are being made for nobody in particular, at once. */
const MAX_SPARES = 8;

/** A request in need of a connection. Gets exactly one answer, unless it is forgotten. Of one pool's all have a preamble or none has. */
export interface Waiter extends Taker {
  assigned(connection: Connection): void;
  refused(error: GatewayError): void;
  /** It has to wait for a connection, at most so long (0: no limit); it keeps the time itself and then calls `forget`. */
  queued(timeoutMs: number): void;
}

export interface PoolParts {
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  /** A number in [0, 1). */
  readonly random: () => number;
  /** Largest response head, in bytes of names and values. */
  readonly maxHeadBytes: number;
  /** Our own HTTP/1.1 speaks where it can; otherwise undici does everywhere. */
  readonly lean: boolean;
  /** Has undici speak on a socket. */
  readonly codecFor: (socket: Socket, destination: Destination) => Codec;
  /** Called whenever the pool has become empty: no connection, no dial, nobody waiting. */
  readonly emptied: () => void;
}

/**
 * The connections of one connection key: at most `maxConnections`, made when needed, the last used reused first so that
 * surplus ones grow idle and close. Who finds none free waits in line, at most `maxQueued` of them.
 *
 * Where connections begin with a PROXY header, each belongs to the client that it names: another one's request gets a new
 * connection, and where there is no room for one, an idle connection of somebody else makes room.
 */
export class ConnectionPool implements ConnectionOwner, DialOutcome, SpareOwner {
  readonly #parts: PoolParts;
  #destination: Destination;
  readonly #tls: TlsClient | null;
  readonly counts = new ConnectionCounts();
  readonly #open = new Set<Connection>();
  readonly #idle: IdleConnections;
  readonly #dials = new Map<Waiter, Dial>();
  /** In order of arrival; a set, so that leaving from the middle is cheap. At most `maxQueued`. */
  readonly #queue = new Set<Waiter>();
  readonly #backOff: BackOff;
  readonly #spares = new Set<Spare>();
  #keepsIdle = true;
  #shut = false;

  constructor(destination: Destination, parts: PoolParts) {
    this.#destination = destination;
    this.#parts = parts;
    this.#tls = destination.tls === null ? null : new TlsClient(destination.tls);
    const { clock, deadlines, random } = parts;
    this.#backOff = new BackOff(random);
    const retired = (connection: Connection, early: boolean): void => {
      if (early) this.counts.retired += 1;
      this.#giveUp(connection);
    };
    this.#idle = new IdleConnections({ clock, deadlines, limits: () => this.limits, retired });
  }

  get open(): number {
    return this.#open.size + this.#dials.size;
  }

  get busy(): number {
    return this.open - this.#idle.size;
  }

  get queued(): number {
    return this.#queue.size;
  }

  get empty(): boolean {
    return this.#open.size === 0 && this.#dials.size === 0 && this.#queue.size === 0;
  }

  get destination(): Destination {
    return this.#destination;
  }

  get eager(): boolean {
    return this.#queue.size > 0 || !this.#keepsIdle;
  }

  get limits(): ConnectionLimits {
    return this.#destination.limits;
  }

  /** The same destination as a newer snapshot has it: limits may have changed, `connectionKey` says that nothing else has. */
  adopt(destination: Destination): void {
    this.#destination = destination;
  }

  /** Answers `waiter` now, or when a connection is made or becomes free. */
  acquire(waiter: Waiter): void {
    if (this.#shut) {
      waiter.refused(shutDown());
      return;
    }
    const connection = this.#idle.take(waiter);
    if (connection !== null) waiter.assigned(connection);
    else if (this.open < this.limits.maxConnections || this.#makeRoom()) this.#dial(waiter);
    else if (this.#queue.size >= this.limits.maxQueued) waiter.refused(queueFull());
    else {
      this.#queue.add(waiter);
      waiter.queued(this.limits.queueTimeoutMs);
    }
  }

  /** Makes as many connections as are missing to `count` idle ones, a few at a time. */
  warm(count: number): void {
    if (!this.#keepsIdle || this.#shut) return;
    const now = this.#parts.clock.monotonic();
    const wanted = Math.min(count - this.#idle.usable, MAX_SPARES);
    while (this.#spares.size < wanted && this.open < this.limits.maxConnections && this.#backOff.isOver(now)) {
      const spare = new Spare(this);
      this.#spares.add(spare);
      this.#dial(spare);
    }
  }

  spareMade(spare: Spare, connection: Connection): void {
    this.#spares.delete(spare);
    this.#backOff.succeeded();
    connection.guard();
    this.idle(connection);
  }

  spareNotMade(spare: Spare): void {
    this.#spares.delete(spare);
    this.#backOff.failed(this.#parts.clock.monotonic());
  }

  /** `waiter` wants nothing any more. A dial under way for it goes to the next in line. */
  forget(waiter: Waiter): void {
    if (this.#queue.delete(waiter)) {
      this.#checkEmpty();
      return;
    }
    const dial = this.#dials.get(waiter);
    if (dial === undefined) return;
    this.#dials.delete(waiter);
    if (waiter.preamble === null) {
      const next = this.#nextInLine();
      if (next !== null) {
        this.#dials.set(next, dial);
        return;
      }
    }
    dial.cancel();
    this.#serveQueue();
    this.#checkEmpty();
  }

  dialled(dial: Dial, socket: Socket): void {
    const waiter = this.#ownerOf(dial);
    this.counts.made(dial.tookMs);
    const { reader } = dial;
    const { codecFor, maxHeadBytes } = this.#parts;
    const connection = new Connection({
      socket,
      lineFor: reader === null ? null : (owner) => new Line({ socket, reader, owner, maxHeadBytes }),
      codecFor: (on) => codecFor(on, this.#destination),
      owner: this,
      preamble: waiter.preamble,
      madeAt: this.#parts.clock.monotonic(),
      roundTripMs: dial.roundTripMs,
      chance: this.#parts.random(),
    });
    this.#open.add(connection);
    waiter.assigned(connection);
  }

  notDialled(dial: Dial, error: GatewayError): void {
    this.counts.failed(error.reason);
    this.#ownerOf(dial).refused(error);
    this.#serveQueue();
    this.#checkEmpty();
  }

  idle(connection: Connection): void {
    const now = this.#parts.clock.monotonic();
    if (this.#isSpent(connection, now)) {
      queueMicrotask(() => connection.destroy());
      return;
    }
    const next = this.#nextInLine(connection.preamble);
    if (next !== null) {
      connection.idledMs = 0;
      next.assigned(connection);
      return;
    }
    // Where somebody else waits, `closed` makes a connection for that one.
    const kept = this.#queue.size === 0 && this.#keepsIdle && this.#idle.push(connection, now);
    if (!kept) queueMicrotask(() => connection.destroy());
  }

  /** `connection` is not used again, but what its endpoint has said of idle ones is about the others too. */
  heard({ saidMs }: Connection): void {
    this.#idle.heard(saidMs);
  }

  /** A request on `connection`, which had been used before, got no answer: the endpoint closed it as the request was on its way. */
  raceLost(connection: Connection): void {
    this.counts.racesLost += 1;
    this.#idle.lost(connection);
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    this.#idle.closed(connection);
    this.#serveQueue();
    this.#checkEmpty();
  }

  /** Whether a connection that has nothing to do stays open. When not, the idle ones close now. */
  keepIdle(keep: boolean): void {
    this.#keepsIdle = keep;
    if (keep) return;
    for (const spare of this.#spares) this.forget(spare);
    this.#spares.clear();
    for (const connection of this.#idle.clear()) connection.destroy();
  }

  /** Closes everything. Who was waiting or in flight hears a failure; who comes later too. */
  shut(): void {
    this.#shut = true;
    const waiting = [...this.#queue, ...this.#dials.keys()];
    this.#queue.clear();
    for (const dial of this.#dials.values()) dial.cancel();
    this.#dials.clear();
    for (const connection of this.#open) connection.destroy();
    for (const waiter of waiting) waiter.refused(shutDown());
    this.#checkEmpty();
  }

  /** Gives up a connection that is idle and of no use for who waits; `false` when none is. */
  #makeRoom(): boolean {
    const connection = this.#idle.giveUp();
    if (connection !== null) this.#giveUp(connection);
    return connection !== null;
  }

  #giveUp(connection: Connection): void {
    this.#open.delete(connection);
    connection.destroy();
  }

  /** It has served for long enough: others behind the same address may want their share. */
  #isSpent({ served, madeAt, chance }: Connection, now: number): boolean {
    const { maxRequests = 0, maxAgeMs = 0 } = this.limits;
    if (maxRequests > 0 && served >= maxRequests) return true;
    return maxAgeMs > 0 && now - madeAt >= maxAgeMs * (1 - chance / 10);
  }

  /** The first in line, if a connection that began with `preamble` is one for it. */
  #nextInLine(preamble: string | null = null): Waiter | null {
    for (const waiter of this.#queue) {
      if (preamble !== waiter.preamble) return null;
      this.#queue.delete(waiter);
      return waiter;
    }
    return null;
  }

  /** Room has become free without a connection becoming free. */
  #serveQueue(): void {
    while (this.open < this.limits.maxConnections) {
      const [next] = this.#queue;
      if (next === undefined) return;
      this.#queue.delete(next);
      this.#dial(next);
    }
  }

  #dial(waiter: Waiter): void {
    try {
      const dial = new Dial(this.#destination, {
        tls: this.#tls,
        clock: this.#parts.clock,
        outcome: this,
        preamble: waiter.preamble,
        reader: this.#parts.lean ? new SocketReader() : null,
      });
      this.#dials.set(waiter, dial);
    } catch (error) {
      // ERR_SOCKET_BAD_PORT, a CA bundle that is none: what configuration checks should have refused.
      waiter.refused(dialFailure(error, 'tcp'));
    }
  }

  #ownerOf(dial: Dial): Waiter {
    for (const [waiter, candidate] of this.#dials) {
      if (candidate !== dial) continue;
      this.#dials.delete(waiter);
      return waiter;
    }
    throw new Error('Cannot finish a dial that belongs to nobody');
  }

  #checkEmpty(): void {
    if (this.empty) this.#parts.emptied();
  }
}
