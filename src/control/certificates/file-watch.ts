import { type FSWatcher, watch } from 'node:fs';
import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Clock, TimerHandle } from '../../clock.ts';

/** Events come in bursts: a renewal writes several files, and a text editor each of them several times. */
const DEBOUNCE_MS = 250;
/** Where no events come from, like network file systems and links to whole directories, somebody has to look. */
const LOOK_MS = 60_000;

export interface FileWatchOptions {
  readonly paths: readonly string[];
  readonly clock: Clock;
  /** Something in the directories of the files may have changed: a moment ago, or at some time within the last minute. */
  readonly changed: () => void;
}

/**
 * Watches the directories that files lie in, not the files: a file that is replaced, or a link that is turned to another one, as
 * certbot and Kubernetes do, would take its watch with it. One watch for each directory.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  readonly #directories: readonly string[];
  readonly #watchers = new Map<string, FSWatcher>();
  #soon: TimerHandle | null = null;
  #regular: TimerHandle | null = null;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#directories = [...new Set(options.paths.map((path) => dirname(path)))];
  }

  start(): void {
    for (const directory of this.#directories) this.#watch(directory);
    this.#regular = this.#options.clock.after(LOOK_MS, () => {
      this.start();
      this.#options.changed();
    });
  }

  stop(): void {
    for (const timer of [this.#soon, this.#regular]) if (timer !== null) this.#options.clock.cancel(timer);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    this.#soon = null;
    this.#regular = null;
  }

  #watch(directory: string): void {
    if (this.#watchers.has(directory)) return;
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#stir());
      watcher.on('error', () => this.#lose(directory, watcher));
      this.#watchers.set(directory, watcher);
    } catch {
      // ENOENT, EACCES, ENOSPC (no more watches): then the regular look has to do, and tries again.
    }
  }

  #lose(directory: string, watcher: FSWatcher): void {
    watcher.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
  }

  #stir(): void {
    this.#soon ??= this.#options.clock.after(DEBOUNCE_MS, () => {
      this.#soon = null;
      this.#options.changed();
    });
  }
}

/** Differs when the files at these paths, links followed, were written or replaced. Never rejects. */
export async function stampOf(paths: readonly string[]): Promise<string> {
  const stamps = paths.map(async (path) => {
    try {
      const { dev, ino, size, mtimeNs, ctimeNs } = await stat(path, { bigint: true });
      return [dev, ino, size, mtimeNs, ctimeNs].join(':');
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? 'unreadable';
    }
  });
  return (await Promise.all(stamps)).join(' ');
}
