import { createHash } from 'node:crypto';
import { type Stats, statSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { Clock } from '../../clock.ts';
import type { PolicyObserver, PolicyState } from '../../policy/policy-state.ts';
import { readNamedFile, readNamedFileLater } from '../named-file.ts';
import { Lookout } from './lookout.ts';

/** What a file of a policy holds. */
export interface KeptFile<T> extends PolicyState {
  /** The last good content. */
  readonly current: T;
}

export interface WatchedFileOptions<T> {
  readonly id: string;
  /** Key and owner of the policy that names it, for events. */
  readonly policy: string;
  readonly owner: string;
  readonly path: string;
  readonly parse: (content: Buffer) => T;
  readonly clock: Clock;
  readonly observer: PolicyObserver;
}

/**
 * A file that is looked at every two seconds while it is used, by its times and size, and read when they change. At most 16 MiB.
 */
export class WatchedFile<T> implements KeptFile<T> {
  readonly id: string;
  readonly #options: WatchedFileOptions<T>;
  #current: T;
  #stamp: string;
  #digest: string;
  /** Of what `parse` has refused: a long list is not read again every two seconds before it changes. */
  #refused: string | null = null;
  readonly #lookout: Lookout;
  #broken: string | null = null;

  /** Reads it. Throws what the system or `parse` says. */
  constructor(options: WatchedFileOptions<T>) {
    this.id = options.id;
    this.#options = options;
    this.#lookout = new Lookout(options.clock, () => this.#look());
    this.#stamp = stampOf(statSync(options.path));
    const content = readNamedFile(options.path);
    this.#digest = digestOf(content);
    this.#current = options.parse(content);
  }

  get current(): T {
    return this.#current;
  }

  open(): void {
    this.#lookout.start();
  }

  close(): void {
    this.#lookout.stop();
  }

  served(): void {
    void this.#lookout.now();
  }

  status(): Readonly<Record<string, string | null>> {
    return { file: this.#options.path, digest: this.#digest, broken: this.#broken };
  }

  async #look(): Promise<void> {
    const { path } = this.#options;
    try {
      const stamp = stampOf(await stat(path));
      if (stamp === this.#stamp) this.#isGood(false);
      else if (stamp !== this.#refused) await this.#read(stamp);
    } catch (error) {
      // What it held stays in force.
      this.#tellBroken((error as Error).message);
    }
  }

  async #read(stamp: string): Promise<void> {
    const content = await readNamedFileLater(this.#options.path);
    const digest = digestOf(content);
    const isNew = digest !== this.#digest;
    // Written while it was read: the next look sees other times.
    if (isNew) {
      this.#refused = stamp;
      this.#current = this.#options.parse(content);
      this.#refused = null;
    }
    this.#stamp = stamp;
    this.#digest = digest;
    this.#isGood(isNew);
  }

  /** As it was, unless it `isNew`; it may have been away, or broken, in between. */
  #isGood(isNew: boolean): void {
    const isNews = isNew || this.#broken !== null;
    this.#broken = null;
    if (isNews) this.#tell('file-changed', 'info', 'what it holds now is in force');
  }

  #tellBroken(message: string): void {
    if (this.#broken === message) return;
    this.#broken = message;
    this.#tell('file-broken', 'warn', `${message}; what it held before stays in force`);
  }

  #tell(event: string, level: 'info' | 'warn', detail: string): void {
    const { policy, owner, path, observer } = this.#options;
    observer({ policy, owner, event, level, detail: `${path}: ${detail}` });
  }
}

/** Changes whenever the file does: replaced, written to, or led elsewhere by a link. */
function stampOf({ dev, ino, size, mtimeMs, ctimeMs }: Stats): string {
  return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
}

function digestOf(content: Buffer): string {
  return createHash('sha256').update(content).digest('base64url');
}
