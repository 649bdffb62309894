import type { Clock, TimerHandle } from '../../clock.ts';
import type { DiskObserver, Operation } from './disk-events.ts';

/** How long a disk that refuses is left alone. */
const PAUSE_MS = 60_000;

/** Nothing can be written, and what is there can be read. */
const FULL = new Set(['ENOSPC', 'EDQUOT', 'EFBIG', 'EROFS', 'EACCES', 'EPERM']);
/** Nothing that is asked of it works. */
const BROKEN = new Set(['EIO', 'ENXIO', 'ENODEV', 'ESTALE', 'ETIMEDOUT', 'timeout', 'ENOTCONN']);

/**
 * Whether a disk is left alone because of what it said: a full one is not written to for a minute, a broken one not read either. One
 * event when it begins, one when it is over.
 */
export class Suspension {
  readonly #clock: Clock;
  readonly #observer: DiskObserver;
  #timer: TimerHandle | null = null;
  #reads = false;

  constructor(clock: Clock, observer: DiskObserver) {
    this.#clock = clock;
    this.#observer = observer;
  }

  get ofWrites(): boolean {
    return this.#timer !== null;
  }

  get ofReads(): boolean {
    return this.#reads;
  }

  /** The system said `code`; what concerns a single file suspends nothing. */
  note(operation: Operation, code: string): void {
    const isBroken = BROKEN.has(code);
    if (!isBroken && !(FULL.has(code) && operation !== 'read')) return;
    if (this.#timer !== null && (this.#reads || !isBroken)) return;
    this.#reads = isBroken;
    this.#observer.disk({ kind: 'suspended', operation, code, reads: isBroken, forMs: PAUSE_MS });
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = this.#clock.after(PAUSE_MS, () => this.#end());
  }

  stop(): void {
    if (this.#timer !== null) this.#clock.cancel(this.#timer);
    this.#timer = null;
    this.#reads = false;
  }

  #end(): void {
    this.stop();
    this.#observer.disk({ kind: 'resumed' });
  }
}
