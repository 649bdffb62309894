import { realpath } from 'node:fs/promises';
import type { Clock, TimerHandle } from '../clock.ts';
import { type Fingerprint, fingerprintOf } from '../config/fingerprint.ts';
import { FileWatch, stampOf } from './certificates/file-watch.ts';

/** Who writes a file in pieces writes the next one sooner. */
const SETTLE_MS = 250;
/** Looks at something that changes all the time, before that is taken for what it is. */
const MOST_LOOKS = 20;

/** Where a configuration is read from. */
export interface WatchedConfig {
  /** As `loadConfig` takes it. */
  readonly path: string;
  /** Of what is served at first (`fingerprintOf`); `null`: of what is there when the watch begins. */
  readonly digest: string | null;
}

export interface ConfigWatchOptions extends WatchedConfig {
  readonly clock: Clock;
  /** Whether the configuration that is served asks for it. */
  readonly wanted: () => boolean;
  /** Other content is there than was loaded last, and has settled. Must not reject. */
  readonly changed: () => Promise<unknown>;
}

/**
 * Watches what a configuration is read from: its file, or all of its directory, and what `${file:…}` names. Survives files that are replaced,
 * links that are turned, directories that are removed and made again, and what an editor leaves beside; what has the same content has not
 * changed. Nothing is asked for twice: a content that was refused is left alone until there is another one. One that says nothing at all is
 * taken for a file that is being written. Three timers at most, whatever happens.
 */
export class ConfigWatch {
  readonly #options: ConfigWatchOptions;
  readonly #files: FileWatch;
  /** Of what was loaded last. */
  #loaded: string | null;
  #stamp = '';
  #paths: readonly string[];
  #looking: Promise<void> | null = null;
  #lookAgain = false;
  #settling: TimerHandle | null = null;
  #candidate = '';
  #looks = 0;
  #running = false;

  constructor(options: ConfigWatchOptions) {
    this.#options = options;
    this.#loaded = options.digest;
    this.#paths = pathsAround(options.path, []);
    this.#files = new FileWatch({ paths: this.#paths, clock: options.clock, changed: () => this.#look() });
  }

  /** Loads, and remembers what of. Whoever loads the configuration has to do it here. */
  async load<T>(load: () => T | Promise<T>): Promise<T> {
    // Before it: what is written meanwhile is news.
    this.#loaded = (await fingerprintOf(this.#options.path)).digest;
    return load();
  }

  /** What has changed since the last `load` is found too. */
  start(): void {
    this.#running = true;
    this.#files.start();
    this.#look();
  }

  stop(): void {
    this.#running = false;
    this.#files.stop();
    if (this.#settling !== null) this.#options.clock.cancel(this.#settling);
    this.#settling = null;
  }

  /** Resolves when nothing is being looked at. */
  async settled(): Promise<void> {
    while (this.#looking !== null) await this.#looking;
  }

  #look(): void {
    if (!this.#running) return;
    if (this.#looking !== null) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#compare().finally(() => {
      this.#looking = null;
      if (!this.#lookAgain) return;
      this.#lookAgain = false;
      this.#look();
    });
  }

  async #compare(): Promise<void> {
    const { path, wanted } = this.#options;
    // A log in the same directory changes all the time.
    const stamp = await stampOf(this.#paths);
    if (stamp === this.#stamp && this.#candidate === '') return;
    const seen = await fingerprintOf(path);
    await this.#watch(seen);
    if (!this.#running) return;
    this.#stamp = stamp;
    this.#loaded ??= seen.digest;
    if (seen.digest === this.#loaded || seen.blank || !wanted()) this.#rest();
    else if (seen.digest === this.#candidate || this.#looks >= MOST_LOOKS) {
      this.#rest();
      await this.#options.changed();
    } else this.#lookOnce(seen.digest);
  }

  #rest(): void {
    this.#candidate = '';
    this.#looks = 0;
  }

  /** It has to look the same once more. */
  #lookOnce(digest: string): void {
    this.#candidate = digest;
    this.#looks += 1;
    this.#settling ??= this.#options.clock.after(SETTLE_MS, () => {
      this.#settling = null;
      this.#look();
    });
  }

  async #watch({ files }: Fingerprint): Promise<void> {
    const real = await Promise.all(files.map((file) => realpath(file).catch(() => file)));
    if (!this.#running) return;
    this.#paths = pathsAround(this.#options.path, [...files, ...real]);
    this.#files.retarget(this.#paths);
  }
}

/** In every directory where something may happen: beside `path`, where it may be made anew, in it, and where it leads. */
function pathsAround(path: string, files: readonly string[]): readonly string[] {
  return [...new Set([path, `${path}/.`, ...files])];
}
