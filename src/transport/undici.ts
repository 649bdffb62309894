import type { Socket } from 'node:net';
import { Client } from 'undici';
import { type Clock, CoarseClock, systemClock } from '../clock.ts';
import type {
  Attempt,
  AttemptReceiver,
  ConnectionWarmer,
  Destination,
  InFlight,
  Transport,
} from '../exchange/attempt.ts';
import type { Codec } from './connection.ts';
import type { ConnectionTraffic } from './connection-counts.ts';
import { ConnectionPool } from './connection-pool.ts';
import { Flight } from './flight.ts';
import { PoolMap } from './pool-map.ts';
import { DEFAULT_MAX_HEAD_BYTES } from './response-head.ts';

export interface UndiciTransportOptions {
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Largest response head, in bytes of names and values. Default `DEFAULT_MAX_HEAD_BYTES`. */
  readonly maxHeadBytes?: number;
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/** When idle connections close is decided in `idle-connections.ts`: undici's own time is beyond all of it. */
const NEVER_MS = 2 ** 31 - 1;

/**
 * HTTP/1.1 over pooled connections. undici writes and parses, on one socket each; dialling, pooling and queueing are ours,
 * because only so an attempt can say which connection it used, how long it waited, and within what bounds.
 */
export class UndiciTransport implements Transport, ConnectionWarmer {
  readonly #deadlines: CoarseClock;
  readonly #pools: PoolMap<ConnectionPool>;

  constructor(options: UndiciTransportOptions = {}) {
    const clock = options.clock ?? systemClock;
    const maxHeadBytes = options.maxHeadBytes ?? DEFAULT_MAX_HEAD_BYTES;
    const codecFor = (socket: Socket, to: Destination): Codec => new UndiciCodec(socket, to, maxHeadBytes);
    const deadlines = new CoarseClock(clock);
    const random = options.random ?? Math.random;
    this.#deadlines = deadlines;
    this.#pools = new PoolMap(
      clock,
      (to, emptied) => new ConnectionPool(to, { clock, deadlines, random, codecFor, emptied }),
    );
  }

  /** Hot. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    const pool = this.#pools.poolFor(attempt.destination);
    const flight = new Flight(attempt, into, { pool, deadlines: this.#deadlines });
    flight.start();
    return flight;
  }

  retain(connectionKeys: ReadonlySet<string>): void {
    this.#pools.retain(connectionKeys);
  }

  connections(connectionKey: string): { readonly open: number; readonly busy: number; readonly queued: number } {
    return this.#pools.connections(connectionKey);
  }

  warm(destination: Destination, count: number): void {
    this.#pools.poolFor(destination).warm(count);
  }

  /** `null` while none was ever needed. */
  traffic(connectionKey: string): ConnectionTraffic | null {
    return this.#pools.traffic(connectionKey);
  }

  drain(deadlineMs: number): Promise<void> {
    return this.#pools.drain(deadlineMs);
  }
}

/** An undici client that never connects: it is given its one socket, and when that is gone it is through. */
class UndiciCodec implements Codec {
  readonly #client: Client;
  readonly #closesAlways: boolean;
  #socket: Socket | null;
  #rested = false;

  constructor(socket: Socket, destination: Destination, maxHeadBytes: number) {
    const { host, port, limits } = destination;
    this.#socket = socket;
    this.#closesAlways = limits.keepAliveMs === 0;
    // The URL is only what undici would put into a missing Host field. That TLS may be below is not its business, nor through
    // which interface an IPv6 address is reached (`fe80::1%eth0`).
    const name = host.split('%')[0] as string;
    this.#client = new Client(`http://${name.includes(':') && name[0] !== '[' ? `[${name}]` : name}:${port}`, {
      pipelining: 1,
      allowH2: false,
      maxHeaderSize: maxHeadBytes,
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: NEVER_MS,
      keepAliveMaxTimeout: NEVER_MS,
      // Taken off what an endpoint says: whatever that is, it is beyond the maximum.
      keepAliveTimeoutThreshold: -NEVER_MS,
      connect: (_options, callback) => {
        const give = (): void => {
          const given = this.#socket;
          this.#socket = null;
          if (given === null) callback(new Error('The connection was closed before the request was written'), null);
          else callback(null, given);
        };
        // Not at once: undici resumes itself only when it has returned from here. What has happened to a socket that was idle
        // until now is looked for first, as undici does before it uses a socket once more.
        if (this.#rested) setImmediate(give);
        else queueMicrotask(give);
      },
    });
    // Emitted when a receiver throws out of `fail`. It was told; there is nobody else to tell.
    this.#client.on('error' as 'drain', () => {});
  }

  dispatch(flight: Flight, rested: boolean): void {
    const { attempt } = flight;
    this.#rested = rested;
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
