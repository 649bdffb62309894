import type { Clock } from '../clock.ts';
import type { Destination } from '../exchange/attempt.ts';
import type { ConnectionTraffic } from './connection-counts.ts';

/** The connections of one connection key, whatever protocol is spoken on them. */
export interface KeyedPool {
  readonly destination: Destination;
  readonly open: number;
  readonly busy: number;
  readonly queued: number;
  readonly counts: ConnectionTraffic;
  /** Begins as many connections as are missing to `count` idle ones. */
  warm(count: number): void;
  /** No connection, no dial, nobody waiting. */
  readonly empty: boolean;
  /** The same destination as a newer snapshot has it: limits may have changed, `connectionKey` says that nothing else has. */
  adopt(destination: Destination): void;
  /** Whether a connection that has nothing to do stays open. When not, the idle ones close now. */
  keepIdle(keep: boolean): void;
  /** Closes everything. Who was waiting or in flight hears a failure; who comes later too. */
  shut(): void;
}

/** Makes the pool of a destination; it calls `emptied` whenever it has become empty. */
export type MakePool<P> = (destination: Destination, emptied: () => void) => P;

/** The pools of a transport, by connection key: as many as there are endpoints in pinned snapshots. */
export class PoolMap<P extends KeyedPool> {
  readonly #clock: Clock;
  readonly #make: MakePool<P>;
  readonly #pools = new Map<string, P>();
  /** `null` until the first `retain`: everything is kept. */
  #retained: ReadonlySet<string> | null = null;
  #draining = false;
  #shut = false;
  /** Called when nothing is open any more; one for each `drain` that waits. */
  readonly #drained: (() => void)[] = [];

  constructor(clock: Clock, make: MakePool<P>) {
    this.#clock = clock;
    this.#make = make;
  }

  /** Hot. */
  poolFor(destination: Destination): P {
    const pool = this.#pools.get(destination.connectionKey) ?? this.#newPool(destination);
    if (pool.destination !== destination) pool.adopt(destination);
    return pool;
  }

  /** Keeps the connections of these keys, closes idle ones of all others and busy ones when they finish. */
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

  /** `null` for a key that is not in use. */
  traffic(connectionKey: string): ConnectionTraffic | null {
    return this.#pools.get(connectionKey)?.counts ?? null;
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

  #newPool(destination: Destination): P {
    const key = destination.connectionKey;
    const pool = this.#make(destination, () => this.#emptied(key, pool));
    pool.keepIdle(this.#keeps(key));
    if (this.#shut) pool.shut();
    else this.#pools.set(key, pool);
    return pool;
  }

  #emptied(key: string, pool: P): void {
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
