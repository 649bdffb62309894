import type { Socket } from 'node:net';
import { Client } from 'undici';
import { type Clock, CoarseClock, systemClock } from '../clock.ts';
import type { Attempt, AttemptReceiver, Destination, InFlight, Transport } from '../exchange/attempt.ts';
import type { Codec } from './connection.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Flight } from './flight.ts';

export interface UndiciTransportOptions {
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Largest response head, in bytes of names and values. Default 64 KiB: sessions in cookies and CSP fill Node's 16 KiB. */
  readonly maxHeadBytes?: number;
}

const DEFAULT_MAX_HEAD_BYTES = 64 * 1024;
/** An endpoint's `Keep-Alive: timeout` counts from when it answered; ours starts when we have read that. */
const KEEP_ALIVE_MARGIN_MS = 1000;

/**
 * HTTP/1.1 over pooled connections. undici writes and parses, on one socket each; dialling, pooling and queueing are ours,
 * because only so an attempt can say which connection it used, how long it waited, and within what bounds.
 */
export class UndiciTransport implements Transport {
  readonly #clock: Clock;
  readonly #deadlines: CoarseClock;
  readonly #maxHeadBytes: number;
  /** One per connection key in use: as many as there are endpoints in pinned snapshots. */
  readonly #pools = new Map<string, ConnectionPool>();
  /** `null` until the first `retain`: everything is kept. */
  #retained: ReadonlySet<string> | null = null;
  #draining = false;
  #shut = false;
  /** Called when nothing is open any more; one for each `drain` that waits. */
  readonly #drained: (() => void)[] = [];

  constructor(options: UndiciTransportOptions = {}) {
    this.#clock = options.clock ?? systemClock;
    this.#deadlines = new CoarseClock(this.#clock);
    this.#maxHeadBytes = options.maxHeadBytes ?? DEFAULT_MAX_HEAD_BYTES;
  }

  /** Hot. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    const { destination } = attempt;
    const pool = this.#pools.get(destination.connectionKey) ?? this.#newPool(destination);
    if (pool.destination !== destination) pool.adopt(destination);
    const flight = new Flight(attempt, into, { pool, deadlines: this.#deadlines });
    flight.start();
    return flight;
  }

  retain(connectionKeys: ReadonlySet<string>): void {
    this.#retained = connectionKeys;
    for (const [key, pool] of this.#pools) {
      pool.keepIdle(this.#keeps(key));
      if (pool.empty && !connectionKeys.has(key)) this.#pools.delete(key);
    }
  }

  connections(connectionKey: string): { readonly open: number; readonly busy: number; readonly queued: number } {
    const pool = this.#pools.get(connectionKey);
    if (pool === undefined) return { open: 0, busy: 0, queued: 0 };
    return { open: pool.open, busy: pool.busy, queued: pool.queued };
  }

  /**
   * Closes each connection as soon as it has nothing to do, and all that is left after `deadlineMs`. Exchanges under way may
   * still send until then. Resolves when no connection is open.
   */
  async drain(deadlineMs: number): Promise<void> {
    this.#draining = true;
    for (const pool of this.#pools.values()) pool.keepIdle(false);
    if (!this.#isEmpty()) {
      const timer = this.#clock.after(deadlineMs, () => this.#shutAll());
      await new Promise<void>((resolve) => {
        this.#drained.push(resolve);
      });
      this.#clock.cancel(timer);
    }
    this.#shutAll();
  }

  #keeps(key: string): boolean {
    return !this.#draining && (this.#retained === null || this.#retained.has(key));
  }

  #newPool(destination: Destination): ConnectionPool {
    const key = destination.connectionKey;
    const pool = new ConnectionPool(destination, {
      clock: this.#clock,
      codecFor: (socket, to) => new UndiciCodec(socket, to, this.#maxHeadBytes),
      emptied: () => this.#emptied(key, pool),
    });
    pool.keepIdle(this.#keeps(key));
    if (this.#shut) pool.shut();
    else this.#pools.set(key, pool);
    return pool;
  }

  #emptied(key: string, pool: ConnectionPool): void {
    if (this.#pools.get(key) === pool && !this.#keeps(key)) this.#pools.delete(key);
    if (this.#drained.length === 0 || !this.#isEmpty()) return;
    for (const resolve of this.#drained.splice(0)) resolve();
  }

  #isEmpty(): boolean {
    for (const pool of this.#pools.values()) if (!pool.empty) return false;
    return true;
  }

  #shutAll(): void {
    this.#shut = true;
    for (const pool of this.#pools.values()) pool.shut();
  }
}

/** An undici client that never connects: it is given its one socket, and when that is gone it is through. */
class UndiciCodec implements Codec {
  readonly #client: Client;
  readonly #closesAlways: boolean;
  #socket: Socket | null;

  constructor(socket: Socket, destination: Destination, maxHeadBytes: number) {
    const { host, port, limits } = destination;
    this.#socket = socket;
    this.#closesAlways = limits.keepAliveMs === 0;
    const keepAliveMs = Math.max(1, limits.keepAliveMs);
    // The URL is only what undici would put into a missing Host field. That TLS may be below is not its business.
    this.#client = new Client(`http://${host.includes(':') && host[0] !== '[' ? `[${host}]` : host}:${port}`, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHeadBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: keepAliveMs,
      keepAliveMaxTimeout: keepAliveMs,
      keepAliveTimeoutThreshold: KEEP_ALIVE_MARGIN_MS,
      connect: (_options, callback) => {
        // Not at once: undici resumes itself only when it has returned from here.
        queueMicrotask(() => {
          const given = this.#socket;
          this.#socket = null;
          if (given === null) callback(new Error('The connection was closed before the request was written'), null);
          else callback(null, given);
        });
      },
    });
    // Emitted when a receiver throws out of `fail`. It was told; there is nobody else to tell.
    this.#client.on('error' as 'drain', () => {});
  }

  dispatch(flight: Flight): void {
    const { attempt } = flight;
    const upgrades = attempt.upgrade !== null;
    this.#client.dispatch(
      {
        path: attempt.target,
        method: attempt.method,
        headers: flight.headers as string[],
        body: flight.body,
        upgrade: attempt.upgrade,
        // Explicit, or undici closes after every HEAD and every GET with a body.
        reset: upgrades || this.#closesAlways,
        // Saves undici a pass over its queue per response: there is never a second request in it.
        blocking: false,
        idempotent: false,
      },
      flight,
    );
  }
}
