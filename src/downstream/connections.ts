import type { Socket } from 'node:net';
import type { Clock, TimerHandle } from '../clock.ts';
import { subscriberOf } from './client-address.ts';
import type { ListenerLimits } from './options.ts';

/** How often connections are looked at. Their deadlines fire up to this much late, never early. */
export const SWEEP_MS = 500;

/** When draining, a connection that has been idle for this long closes at once; a busier one after its next response. */
export const RECENT_MS = 1_000;

/** A connection as the sweep sees it: each protocol knows by itself what is too long for its present state. */
export interface Tended {
  /** Looks at its deadlines. `nowMs` is the monotonic time of this sweep. */
  tend(nowMs: number): void;
  /** Takes no new work: closes now if idle, otherwise after what is in progress. */
  retire(): void;
  /** Its time is up: the socket is destroyed after this. For what has a better way to show it than that. */
  cutOff?(): void;
}

export type Admission = 'admitted' | 'connection-limit' | 'address-connection-limit';

/**
 * Every open connection of a listener. Admission is counted on the TCP socket, from accept to close, so that a
 * half-done TLS handshake counts too; deadlines are the business of the `Tended` that a protocol attaches.
 */
export class Connections {
  readonly #limits: ListenerLimits;
  readonly #clock: Clock;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #tended = new Set<Tended>();
  #timer: TimerHandle | null = null;
  #retiring = false;
  readonly #onEmpty: (() => void)[] = [];
  #sweptAt: number;

  constructor(limits: ListenerLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#sweptAt = clock.monotonic();
  }

  /** Time of the last sweep: at most `SWEEP_MS` old while anything is open, and free to read. */
  get now(): number {
    return this.#sweptAt;
  }

  get size(): number {
    return this.#sockets.size;
  }

  get retiring(): boolean {
    return this.#retiring;
  }

  /**
   * Counts a freshly accepted socket until it closes, if both caps allow it. The caller closes it if not. `address` is
   * whose connection it is; `null` when that is not known yet (`attribute`), or when the peer stands for many clients.
   */
  admit(socket: Socket, address: string | null): Admission {
    if (this.#sockets.size >= this.#limits.connections) return 'connection-limit';
    if (address !== null && this.attribute(socket, address) !== 'admitted') return 'address-connection-limit';
    if (this.#sockets.size === 0) this.#start();
    this.#sockets.add(socket);
    socket.once('close', () => this.#release(socket));
    return 'admitted';
  }

  /** Counts an open socket as one of `address` until it closes, if the cap allows it. The caller closes it if not. */
  attribute(socket: Socket, address: string): Admission {
    const subscriber = subscriberOf(address);
    const ofAddress = this.#perAddress.get(subscriber) ?? 0;
    if (ofAddress >= this.#limits.connectionsPerAddress) return 'address-connection-limit';
    this.#perAddress.set(subscriber, ofAddress + 1);
    socket.once('close', () => this.#forget(subscriber));
    return 'admitted';
  }

  attach(connection: Tended): void {
    this.#tended.add(connection);
    if (this.#retiring) connection.retire();
  }

  detach(connection: Tended): void {
    this.#tended.delete(connection);
  }

  /** Asks every connection to finish; resolves when the last one has closed. Those still open at `deadlineMs` are destroyed. */
  async drain(deadlineMs: number): Promise<void> {
    this.#retiring = true;
    for (const connection of this.#tended) connection.retire();
    const timer = this.#clock.after(deadlineMs, () => this.#destroyAll());
    await this.#empty();
    this.#clock.cancel(timer);
  }

  /** Destroys every connection; resolves when the last one has closed. */
  async close(): Promise<void> {
    this.#retiring = true;
    this.#destroyAll();
    await this.#empty();
  }

  #destroyAll(): void {
    for (const connection of this.#tended) connection.cutOff?.();
    for (const socket of this.#sockets) socket.destroy();
  }

  #empty(): Promise<void> {
    if (this.#sockets.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onEmpty.push(resolve));
  }

  #forget(subscriber: string): void {
    const left = (this.#perAddress.get(subscriber) ?? 1) - 1;
    if (left === 0) this.#perAddress.delete(subscriber);
    else this.#perAddress.set(subscriber, left);
  }

  #release(socket: Socket): void {
    this.#sockets.delete(socket);
    if (this.#sockets.size > 0) return;
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
    for (const resolve of this.#onEmpty.splice(0)) resolve();
  }

  #start(): void {
    this.#sweptAt = this.#clock.monotonic();
    this.#timer = this.#clock.after(SWEEP_MS, this.#sweep);
  }

  readonly #sweep = (): void => {
    this.#sweptAt = this.#clock.monotonic();
    this.#timer = this.#clock.after(SWEEP_MS, this.#sweep);
    for (const connection of this.#tended) connection.tend(this.#sweptAt);
  };
}
