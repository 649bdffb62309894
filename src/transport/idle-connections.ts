import type { Clock, CoarseClock, Deadline } from '../clock.ts';
import type { ConnectionLimits } from '../exchange/attempt.ts';
import type { Connection } from './connection.ts';
import { IdleLimit, marginOf, restOf } from './idle-limit.ts';

/** Idle connections are looked through no more often than this. */
const MIN_LOOK_MS = 100;

export interface IdleParts {
  readonly clock: Clock;
  readonly deadlines: CoarseClock;
  readonly limits: () => ConnectionLimits;
  /** Is not used any more, and is to be closed. `early`: before the endpoint would have closed it. */
  readonly retired: (connection: Connection, early: boolean) => void;
}

/** Who wants a connection. */
export interface Taker {
  /** The PROXY header that its connection must have begun with; `null` for none. */
  readonly preamble: string | null;
  /** If the connection turns out to be closed, the request may be sent once more. */
  readonly repeatable: boolean;
}

/**
 * Connections with nothing to do: a stack, so that surplus ones grow old and close, at most `maxConnections`.
 *
 * Nobody wins a race against an endpoint's idle time-out: its FIN and our request cross on the wire. So a connection is used only
 * while it is younger than the endpoint's `Keep-Alive: timeout`, and than what the endpoint was seen to do, by a margin; by twice
 * that margin for requests that could not be repeated.
 */
export class IdleConnections implements Deadline {
  at = 0;
  slot = 0;
  readonly #parts: IdleParts;
  readonly #stack: Connection[] = [];
  readonly #limit = new IdleLimit();
  /** What the endpoint has said last, for connections on which it has said nothing yet. */
  #saidMs = Number.POSITIVE_INFINITY;
  /** Too old to be used; it stays to show when the endpoint closes it. */
  #watched: Connection | null = null;

  constructor(parts: IdleParts) {
    this.#parts = parts;
  }

  get size(): number {
    return this.#stack.length + (this.#watched === null ? 0 : 1);
  }

  /** Those that a request may get. */
  get usable(): number {
    return this.#stack.length;
  }

  /** Hot. `false`: it must not be kept at all, and is the caller's to close. */
  push(connection: Connection, now: number): boolean {
    if (!this.#setTimes(connection, now)) return false;
    connection.resting = true;
    this.#stack.push(connection);
    if (this.at === 0 || connection.usableUntil + MIN_LOOK_MS < this.at) {
      this.#parts.deadlines.arm(this, connection.usableUntil - now);
    }
    return true;
  }

  /** Hot. The one that was used last, if it may be used still. */
  take(by: Taker): Connection | null {
    if (this.#stack.length === 0) return null;
    const now = this.#parts.clock.monotonic();
    if (by.preamble !== null) return this.#takeOf(by, now);
    for (;;) {
      const connection = this.#stack.pop();
      if (connection === undefined) return null;
      // Closed already, and its owner is about to hear of it.
      if (connection.socket.destroyed) continue;
      if (isFit(connection, by, now)) return taken(connection, now);
      if (now < connection.usableUntil) {
        this.#stack.push(connection);
        return null;
      }
      this.#retire(connection, now);
    }
  }

  /** Gives up the one that is of least use; `null` when there is none. */
  giveUp(): Connection | null {
    const connection = this.#watched ?? this.#stack.shift() ?? null;
    if (connection === null) return null;
    if (connection === this.#watched) this.#watched = null;
    connection.resting = false;
    return connection;
  }

  /** An endpoint has said how long it keeps idle connections; infinite: it has not. */
  heard(saidMs: number): void {
    if (saidMs !== Number.POSITIVE_INFINITY) this.#saidMs = saidMs;
  }

  /** `connection` is closed, by the endpoint if it was resting. */
  closed(connection: Connection): void {
    if (!connection.resting) return;
    connection.resting = false;
    if (!connection.closedByUs) this.#limit.closed(this.#parts.clock.monotonic() - connection.idleSince);
    if (this.#watched === connection) {
      this.#watched = null;
      return;
    }
    const at = this.#stack.indexOf(connection);
    if (at !== -1) this.#stack.splice(at, 1);
  }

  /** The endpoint closed it in the moment when it was used again. */
  lost(connection: Connection): void {
    this.#limit.closed(connection.idledMs);
  }

  /** Gives all of them up. */
  clear(): Connection[] {
    this.#parts.deadlines.disarm(this);
    const all = this.#stack.splice(0);
    if (this.#watched !== null) all.push(this.#watched);
    this.#watched = null;
    for (const connection of all) connection.resting = false;
    return all;
  }

  /** Closes what has grown too old. */
  expire(): void {
    const now = this.#parts.clock.monotonic();
    this.#lookAtWatched(now);
    const all = this.#stack.splice(0);
    let nextAt = Number.POSITIVE_INFINITY;
    for (const connection of all) {
      if (now >= connection.usableUntil) {
        this.#retire(connection, now);
        continue;
      }
      this.#stack.push(connection);
      nextAt = Math.min(nextAt, connection.usableUntil);
    }
    if (this.#watched !== null) nextAt = Math.min(nextAt, this.#watched.idleSince + this.#parts.limits().keepAliveMs);
    if (nextAt < Number.POSITIVE_INFINITY) this.#parts.deadlines.arm(this, Math.max(nextAt - now, MIN_LOOK_MS));
  }

  #setTimes(connection: Connection, now: number): boolean {
    const { keepAliveMs } = this.#parts.limits();
    this.heard(connection.saidMs);
    const saidMs = this.#saidMs;
    const { seenMs } = this.#limit;
    const shorterMs = Math.min(saidMs, seenMs);
    connection.idleSince = now;
    if (shorterMs === Number.POSITIVE_INFINITY) {
      connection.usableUntil = now + keepAliveMs;
      connection.surelyUntil = connection.usableUntil;
      return true;
    }
    const marginMs = marginOf(shorterMs, connection.roundTripMs, connection.chance);
    connection.usableUntil = now + Math.min(keepAliveMs, restOf(saidMs, seenMs, marginMs));
    connection.surelyUntil = now + Math.min(keepAliveMs, restOf(saidMs, seenMs, 2 * marginMs));
    return connection.usableUntil > now;
  }

  /** A search, but through `maxConnections` at most, and only for destinations with PROXY headers. */
  #takeOf(by: Taker, now: number): Connection | null {
    const at = this.#stack.findLastIndex(
      (idle) => idle.preamble === by.preamble && !idle.socket.destroyed && isFit(idle, by, now),
    );
    const [connection] = at === -1 ? [] : this.#stack.splice(at, 1);
    return connection === undefined ? null : taken(connection, now);
  }

  #retire(connection: Connection, now: number): void {
    const early = now - connection.idleSince < this.#parts.limits().keepAliveMs;
    // What the endpoint says needs no proof.
    if (early && this.#watched === null && this.#limit.seenMs < this.#saidMs) {
      this.#watched = connection;
      return;
    }
    connection.resting = false;
    this.#parts.retired(connection, early);
  }

  #lookAtWatched(now: number): void {
    const watched = this.#watched;
    if (watched === null || now - watched.idleSince < this.#parts.limits().keepAliveMs) return;
    this.#watched = null;
    watched.resting = false;
    this.#limit.closed(Number.POSITIVE_INFINITY);
    this.#parts.retired(watched, false);
  }
}

function isFit(connection: Connection, by: Taker, now: number): boolean {
  return now < connection.surelyUntil || (now < connection.usableUntil && by.repeatable);
}

function taken(connection: Connection, now: number): Connection {
  connection.resting = false;
  connection.idledMs = now - connection.idleSince;
  return connection;
}
