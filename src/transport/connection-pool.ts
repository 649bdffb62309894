import type { Socket } from 'node:net';
import type { Clock } from '../clock.ts';
import type { GatewayError } from '../errors.ts';
import type { ConnectionLimits, Destination } from '../exchange/attempt.ts';
import { type Codec, Connection, type ConnectionOwner } from './connection.ts';
import { Dial, type DialOutcome, TlsClient } from './dial.ts';
import { dialFailure, queueFull, shutDown } from './failure.ts';

/** A request in need of a connection. Gets exactly one answer, unless it is forgotten. */
export interface Waiter {
  /** What its connection must have begun with. Of one pool's waiters either all have one or none has. */
  readonly preamble: string | null;
  assigned(connection: Connection): void;
  refused(error: GatewayError): void;
  /** It has to wait for a connection, at most so long (0: no limit); it keeps the time itself and then calls `forget`. */
  queued(timeoutMs: number): void;
}

export interface PoolParts {
  readonly clock: Clock;
  /** Puts a codec on a fresh socket. */
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
export class ConnectionPool implements ConnectionOwner, DialOutcome {
  readonly #parts: PoolParts;
  #destination: Destination;
  readonly #tls: TlsClient | null;
  readonly #open = new Set<Connection>();
  /** A stack. At most `maxConnections`. */
  readonly #idle: Connection[] = [];
  readonly #dials = new Map<Waiter, Dial>();
  /** In order of arrival; a set, so that leaving from the middle is cheap. At most `maxQueued`. */
  readonly #queue = new Set<Waiter>();
  #keepsIdle = true;
  #shut = false;

  constructor(destination: Destination, parts: PoolParts) {
    this.#destination = destination;
    this.#parts = parts;
    this.#tls = destination.tls === null ? null : new TlsClient(destination.tls);
  }

  get open(): number {
    return this.#open.size + this.#dials.size;
  }

  get busy(): number {
    return this.open - this.#idle.length;
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
    const connection = this.#takeIdle(waiter.preamble);
    if (connection !== null) waiter.assigned(connection);
    else if (this.open < this.limits.maxConnections || this.#makeRoom()) this.#dial(waiter);
    else if (this.#queue.size >= this.limits.maxQueued) waiter.refused(queueFull());
    else {
      this.#queue.add(waiter);
      waiter.queued(this.limits.queueTimeoutMs);
    }
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
    const connection = new Connection({
      socket,
      codec: this.#parts.codecFor(socket, this.#destination),
      owner: this,
      preamble: waiter.preamble,
    });
    this.#open.add(connection);
    waiter.assigned(connection);
  }

  notDialled(dial: Dial, error: GatewayError): void {
    this.#ownerOf(dial).refused(error);
    this.#serveQueue();
    this.#checkEmpty();
  }

  idle(connection: Connection): void {
    const next = this.#nextInLine(connection.preamble);
    if (next !== null) next.assigned(connection);
    // Somebody else waits: `closed` makes a connection for that one.
    else if (this.#queue.size > 0) connection.destroy();
    else if (this.#keepsIdle) this.#idle.push(connection);
    else connection.destroy();
  }

  closed(connection: Connection): void {
    this.#open.delete(connection);
    const at = this.#idle.indexOf(connection);
    if (at !== -1) this.#idle.splice(at, 1);
    this.#serveQueue();
    this.#checkEmpty();
  }

  /** Whether a connection that has nothing to do stays open. When not, the idle ones close now. */
  keepIdle(keep: boolean): void {
    this.#keepsIdle = keep;
    if (keep) return;
    for (const connection of this.#idle.splice(0)) connection.destroy();
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

  #takeIdle(preamble: string | null): Connection | null {
    if (preamble !== null) return this.#takeIdleOf(preamble);
    for (;;) {
      const connection = this.#idle.pop();
      if (connection === undefined) return null;
      // Closed already, and `closed` is about to be called.
      if (!connection.socket.destroyed) return connection;
    }
  }

  /** A search, but through `maxConnections` at most, and only for destinations with PROXY headers. */
  #takeIdleOf(preamble: string): Connection | null {
    const at = this.#idle.findLastIndex((idle) => idle.preamble === preamble && !idle.socket.destroyed);
    return at === -1 ? null : (this.#idle.splice(at, 1)[0] ?? null);
  }

  /** Gives up the connection that was idle for longest, which is another client's; `false` when none is. */
  #makeRoom(): boolean {
    const connection = this.#idle.shift();
    if (connection === undefined) return false;
    this.#open.delete(connection);
    connection.destroy();
    return true;
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
