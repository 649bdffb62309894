import type { Clock, TimerHandle } from '../../clock.ts';
import type { DiskObserver } from './disk-events.ts';
import { codeOf, type FileSystem } from './file-system.ts';
import type { Lock } from './lock.ts';
import { takePremises } from './premises.ts';

/** A directory that can't be had, since it is another gateway's for instance, is asked for again. */
const RETRY_MS = 15_000;

export interface TenancyParts {
  readonly fs: FileSystem;
  readonly path: string;
  readonly clock: Clock;
  readonly observer: DiskObserver;
  readonly newToken: () => string;
  /** The directory is ours, under its real path. */
  readonly movedIn: (path: string) => void;
  /** It is somebody else's, who believed this gateway dead. */
  readonly movedOut: () => void;
  readonly failed: (code: string) => void;
}

/** Keeps a directory to one gateway: takes it, tries again while it can't be had, and gives it back. One event for each reason why not. */
export class Tenancy {
  readonly #parts: TenancyParts;
  #lock: Lock | null = null;
  #retry: TimerHandle | null = null;
  #attempt: Promise<void> = Promise.resolve();
  #over = false;
  #told = '';

  constructor(parts: TenancyParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#attempt = this.#take();
  }

  /** Resolves when it is known whether the directory can be had now. */
  known(): Promise<void> {
    return this.#attempt;
  }

  /** No further attempts; `leave` follows. */
  stop(): void {
    this.#over = true;
    if (this.#retry !== null) this.#parts.clock.cancel(this.#retry);
    this.#retry = null;
  }

  /** Never rejects. */
  async leave(): Promise<void> {
    this.stop();
    await this.#attempt;
    await this.#lock?.release();
    this.#lock = null;
  }

  async #take(): Promise<void> {
    const { fs, path, clock, newToken, movedIn, failed } = this.#parts;
    try {
      const premises = await takePremises(fs, path, { clock, token: newToken() });
      if (!premises.ok) {
        this.#tryLater(premises.reason);
        return;
      }
      this.#lock = premises.lock;
      // `leave` waits for this and releases it.
      if (this.#over) return;
      this.#told = '';
      premises.lock.onLost = () => this.#lost();
      movedIn(premises.path);
    } catch (error) {
      failed(codeOf(error));
      this.#tryLater(codeOf(error));
    }
  }

  #lost(): void {
    this.#lock = null;
    if (this.#over) return;
    this.#parts.movedOut();
    this.#tryLater('another gateway has taken it');
  }

  #tryLater(reason: string): void {
    if (this.#over) return;
    const { path, clock, observer } = this.#parts;
    if (reason !== this.#told) observer.disk({ kind: 'unavailable', path, reason, retryMs: RETRY_MS });
    this.#told = reason;
    this.#retry = clock.after(RETRY_MS, () => {
      this.#retry = null;
      this.start();
    });
  }
}
