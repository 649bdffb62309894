import { type FSWatcher, statSync, watch } from 'node:fs';
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
 * certbot and Kubernetes do, would take its watch with it. One watch for each directory; one that is replaced by another directory is
 * watched again from the next event or look on.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #directories: ReadonlySet<string>;
  readonly #watchers = new Map<string, Watcher>();
  #soon: TimerHandle | null = null;
  #regular: TimerHandle | null = null;
  #running = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
    this.#directories = directoriesOf(options.paths);
  }

  start(): void {
    this.#running = true;
    this.#watchAll();
    this.#regular = this.#options.clock.after(LOOK_MS, () => {
      this.start();
      this.#options.changed();
    });
  }

  stop(): void {
    this.#running = false;
    for (const timer of [this.#soon, this.#regular]) if (timer !== null) this.#options.clock.cancel(timer);
    for (const { events } of this.#watchers.values()) events.close();
    this.#watchers.clear();
    this.#soon = null;
    this.#regular = null;
  }

  /** From now on these are watched. */
  retarget(paths: readonly string[]): void {
    this.#directories = directoriesOf(paths);
    for (const directory of [...this.#watchers.keys()]) {
      if (!this.#directories.has(directory)) this.#lose(directory, this.#watchers.get(directory));
    }
    if (this.#running) this.#watchAll();
  }

  #watchAll(): void {
    for (const directory of this.#directories) this.#watch(directory);
  }

  #watch(directory: string): void {
    const identity = identityOf(directory);
    const current = this.#watchers.get(directory);
    if (current?.identity === identity) return;
    this.#lose(directory, current);
    if (identity === null) return;
    try {
      const events = watch(directory, { persistent: false }, () => this.#stir());
      const watcher = { events, identity };
      events.on('error', () => this.#lose(directory, watcher));
      this.#watchers.set(directory, watcher);
    } catch {
      // ENOENT, EACCES, ENOSPC (no more watches): then the regular look has to do, and tries again.
    }
  }

  #lose(directory: string, watcher: Watcher | undefined): void {
    watcher?.events.close();
    if (this.#watchers.get(directory) === watcher) this.#watchers.delete(directory);
  }

  #stir(): void {
    this.#soon ??= this.#options.clock.after(DEBOUNCE_MS, () => {
      this.#soon = null;
      this.#watchAll();
      this.#options.changed();
    });
  }
}

interface Watcher {
  readonly events: FSWatcher;
  /** Of the directory that it watches, whatever has its name by now. */
  readonly identity: string;
}

function directoriesOf(paths: readonly string[]): ReadonlySet<string> {
  return new Set(paths.map((path) => dirname(path)));
}

/** `null` when there is none. */
function identityOf(directory: string): string | null {
  try {
    // The number of one that was removed is soon another one's.
    const { dev, ino, birthtimeNs } = statSync(directory, { bigint: true });
    return `${dev}:${ino}:${birthtimeNs}`;
  } catch {
    // ENOENT, EACCES.
    return null;
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
