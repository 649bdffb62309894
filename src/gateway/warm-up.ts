import type { Clock, TimerHandle } from '../clock.ts';
import type { ConnectionWarmer } from '../exchange/attempt.ts';
import { isAvailable } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';

/** How soon connections are made to an endpoint that is new, or has come back, and those that have grown too old are made anew. */
const LOOK_MS = 1_000;

/** Keeps connections ready to endpoints that may get work, for pools that want it (`connections.warm`). */
export class WarmUp {
  readonly #clock: Clock;
  readonly #transport: ConnectionWarmer;
  readonly #pools: () => Iterable<Pool>;
  #timer: TimerHandle | null = null;

  constructor(parts: {
    readonly clock: Clock;
    readonly transport: ConnectionWarmer;
    readonly pools: () => Iterable<Pool>;
  }) {
    this.#clock = parts.clock;
    this.#transport = parts.transport;
    this.#pools = parts.pools;
  }

  start(): void {
    this.#look();
  }

  /** What is open stays open as long as idle connections do. */
  stop(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
  }

  #look(): void {
    for (const { endpoints } of this.#pools()) {
      for (const endpoint of endpoints) {
        const { warm = 0 } = endpoint.destination.limits;
        if (warm > 0 && isAvailable(endpoint)) this.#transport.warm(endpoint.destination, warm);
      }
    }
    this.#timer = this.#clock.after(LOOK_MS, () => this.#look());
  }
}
