import { type Clock, CoarseClock, systemClock } from '../clock.ts';
import type {
  Attempt,
  AttemptReceiver,
  ConnectionWarmer,
  Destination,
  InFlight,
  Transport,
} from '../exchange/attempt.ts';
import type { ConnectionTraffic } from './connection-counts.ts';
import { ConnectionPool } from './connection-pool.ts';
import { LeanFlight } from './h1/flight.ts';
import { PoolMap } from './pool-map.ts';
import { DEFAULT_MAX_HEAD_BYTES } from './response-head.ts';
import { UndiciCodec } from './undici.ts';
import { UndiciFlight } from './undici-flight.ts';

/** What speaks HTTP/1.1 to endpoints: our own short path, for what it can do, or undici for everything. */
export type Http1Choice = 'lean' | 'undici';

export interface Http1TransportOptions {
  /** Default: `lean`. */
  readonly http1?: Http1Choice;
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Largest response head, in bytes of names and values. Default `DEFAULT_MAX_HEAD_BYTES`. */
  readonly maxHeadBytes?: number;
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
}

/**
 * HTTP/1.1 over pooled connections. Dialling, pooling and queueing are ours, because only so an attempt can say which connection it
 * used, how long it waited, and within what bounds. So is what writes and parses on a connection (`h1/`), but for upgrades, which
 * undici does, on the same pools.
 */
export class Http1Transport implements Transport, ConnectionWarmer {
  readonly #lean: boolean;
  readonly #deadlines: CoarseClock;
  readonly #pools: PoolMap<ConnectionPool>;

  constructor(options: Http1TransportOptions = {}) {
    const clock = options.clock ?? systemClock;
    const maxHeadBytes = options.maxHeadBytes ?? DEFAULT_MAX_HEAD_BYTES;
    const lean = options.http1 !== 'undici';
    const deadlines = new CoarseClock(clock);
    const random = options.random ?? Math.random;
    const parts = { clock, deadlines, random, lean, maxHeadBytes };
    this.#lean = lean;
    this.#deadlines = deadlines;
    this.#pools = new PoolMap(
      clock,
      (to, emptied) =>
        new ConnectionPool(to, {
          ...parts,
          codecFor: (socket, at) => new UndiciCodec(socket, at, maxHeadBytes),
          emptied,
        }),
    );
  }

  /** Hot. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    const parts = { pool: this.#pools.poolFor(attempt.destination), deadlines: this.#deadlines };
    const flight =
      this.#lean && attempt.upgrade === null
        ? new LeanFlight(attempt, into, parts)
        : new UndiciFlight(attempt, into, parts);
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
