import { type Clock, CoarseClock, systemClock } from '../../clock.ts';
import type {
  Attempt,
  AttemptReceiver,
  ConnectionWarmer,
  Destination,
  InFlight,
  Transport,
} from '../../exchange/attempt.ts';
import type { ConnectionTraffic } from '../connection-counts.ts';
import { PoolMap } from '../pool-map.ts';
import { DEFAULT_MAX_HEAD_BYTES } from '../response-head.ts';
import { Http2Flight } from './flight.ts';
import { SessionPool } from './session-pool.ts';

export interface Http2TransportOptions {
  /** Default: the system clock. */
  readonly clock?: Clock;
  /** Largest response head, in bytes of names and values. Default `DEFAULT_MAX_HEAD_BYTES`. */
  readonly maxHeadBytes?: number;
  /** A number in [0, 1). Default `Math.random`. */
  readonly random?: () => number;
  /** Takes the upgrades (WebSockets) of endpoints whose SETTINGS do not allow extended CONNECT (RFC 8441). */
  readonly http1: Transport & ConnectionWarmer;
}

/**
 * HTTP/2 to endpoints (RFC 9113) over Node's core API. Not undici's: as of 8.12 that drops the trailers of requests, sends a
 * head only with the first byte of its body, and hides reset codes, each of which gRPC and safe retries depend on.
 */
export class Http2Transport implements Transport, ConnectionWarmer {
  readonly #pools: PoolMap<SessionPool>;
  readonly #deadlines: CoarseClock;
  readonly #maxHeadBytes: number;
  readonly #http1: Transport & ConnectionWarmer;

  constructor(options: Http2TransportOptions) {
    const clock = options.clock ?? systemClock;
    const deadlines = new CoarseClock(clock);
    const maxHeadBytes = options.maxHeadBytes ?? DEFAULT_MAX_HEAD_BYTES;
    this.#deadlines = deadlines;
    this.#maxHeadBytes = maxHeadBytes;
    this.#http1 = options.http1;
    const random = options.random ?? Math.random;
    this.#pools = new PoolMap(
      clock,
      (to, emptied) => new SessionPool(to, { clock, deadlines, random, maxHeadBytes, emptied }),
    );
  }

  /** Hot. */
  send(attempt: Attempt, into: AttemptReceiver): InFlight {
    const flight = new Http2Flight(attempt, into, {
      pool: this.#pools.poolFor(attempt.destination),
      deadlines: this.#deadlines,
      maxHeadBytes: this.#maxHeadBytes,
      http1: this.#http1,
    });
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
    const pool = this.#pools.poolFor(destination);
    if (pool.prefersHttp1) this.#http1.warm(destination, count);
    else pool.warm(count);
  }

  /** `null` while none was ever needed. */
  traffic(connectionKey: string): ConnectionTraffic | null {
    return this.#pools.traffic(connectionKey);
  }

  drain(deadlineMs: number): Promise<void> {
    return this.#pools.drain(deadlineMs);
  }
}
