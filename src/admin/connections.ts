import type { Duplex } from 'node:stream';
import type { Clock, TimerHandle } from '../clock.ts';

/** A socket, as `node:net` has it. */
export interface Socket extends Duplex {
  readonly remoteAddress?: string | undefined;
}

/** All of them, and those of one client address. */
const MOST = 256;
const MOST_OF_ADDRESS = 64;

/** A whole request, from the connection's first moment or the answer before, takes no longer, and neither does silence between two. */
const REQUEST_MS = 10_000;
/** Nothing that is asked for takes longer, not even the replacement of many workers: as long as `headgate upgrade` waits. */
const WORK_MS = 600_000;
/** Nobody takes longer to read an answer. */
const ANSWER_MS = 60_000;

/**
 * Connections of the admin listener, bounded in number and in time, whatever trickles over them: a client that opens one and says
 * nothing, or one byte a second, or reads nothing, loses it.
 */
export class AdminConnections {
  readonly #clock: Clock;
  readonly #timers = new Map<Socket, TimerHandle | null>();
  readonly #addresses = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get size(): number {
    return this.#timers.size;
  }

  /** `false` for one too many, which is destroyed. */
  admit(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '';
    const ofAddress = this.#addresses.get(address) ?? 0;
    // Before anything else: a reset at the wrong moment must not end the process.
    socket.on('error', () => socket.destroy());
    if (this.#timers.size >= MOST || ofAddress >= MOST_OF_ADDRESS) {
      socket.destroy();
      return false;
    }
    this.#addresses.set(address, ofAddress + 1);
    this.#timers.set(socket, null);
    socket.on('close', () => this.#closed(socket, address));
    this.awaitRequest(socket);
    return true;
  }

  awaitRequest(socket: Socket): void {
    this.#arm(socket, REQUEST_MS);
  }

  /** The request is there, with its body, and is worked on. */
  awaitWork(socket: Socket): void {
    this.#arm(socket, WORK_MS);
  }

  /** What the answer is, is known. */
  awaitAnswer(socket: Socket): void {
    this.#arm(socket, ANSWER_MS);
  }

  closeAll(): void {
    for (const socket of this.#timers.keys()) socket.destroy();
  }

  #arm(socket: Socket, ms: number): void {
    const timer = this.#timers.get(socket);
    if (timer === undefined) return;
    if (timer !== null) this.#clock.cancel(timer);
    this.#timers.set(
      socket,
      this.#clock.after(ms, () => socket.destroy()),
    );
  }

  #closed(socket: Socket, address: string): void {
    const timer = this.#timers.get(socket) ?? null;
    if (timer !== null) this.#clock.cancel(timer);
    this.#timers.delete(socket);
    const left = (this.#addresses.get(address) ?? 1) - 1;
    if (left === 0) this.#addresses.delete(address);
    else this.#addresses.set(address, left);
  }
}
