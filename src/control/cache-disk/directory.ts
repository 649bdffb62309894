import { join } from 'node:path';
import { codeOf, DIRECTORY_MODE, type FileSystem } from './file-system.ts';

const SUFFIX = '.entry';
const UNFINISHED = '.unfinished';
const NAME = /^([0-9a-f]{16})\.(entry|unfinished)$/;
const LEVELS = [/^[0-9a-f]$/, /^[0-9a-f]{2}$/] as const;
const TRASH = /^trash-[0-9a-f]{16}$/;

/** A file that looks like one of ours. */
export interface NamedFile {
  readonly id: string;
  readonly path: string;
  readonly unfinished: boolean;
}

/**
 * The names of the tier's files: `entries/a/bc/abc….entry`, 4096 directories that are made as they are needed. What has another name
 * is never touched.
 */
export class Directory {
  readonly path: string;
  readonly #fs: FileSystem;
  /** Those known to be there: 4096 at most. */
  readonly #made = new Set<string>();

  constructor(fs: FileSystem, path: string) {
    this.#fs = fs;
    this.path = path;
  }

  pathOf(id: string): string {
    return join(this.#folderOf(id), id + SUFFIX);
  }

  unfinishedPathOf(id: string): string {
    return join(this.#folderOf(id), id + UNFINISHED);
  }

  /** Makes the directory of `id`'s file. */
  async prepare(id: string): Promise<void> {
    const folder = this.#folderOf(id);
    if (this.#made.has(folder)) return;
    await this.#fs.mkdir(folder, { recursive: true, mode: DIRECTORY_MODE });
    this.#made.add(folder);
  }

  /** Directories may have gone. */
  forget(): void {
    this.#made.clear();
  }

  /** Everything goes at once, by one rename; `discarded` is what is left to be deleted, or `null` when there was nothing. */
  async moveAside(name: string): Promise<string | null> {
    this.forget();
    const discarded = join(this.path, `trash-${name}`);
    try {
      await this.#fs.rename(this.#entries, discarded);
      return discarded;
    } catch (error) {
      if (codeOf(error) === 'ENOENT') return null;
      throw error;
    }
  }

  /** What was moved aside in an earlier life. */
  async trash(): Promise<readonly string[]> {
    const found = await this.#list(this.path, TRASH);
    return found.map((name) => join(this.path, name));
  }

  async discard(path: string): Promise<void> {
    await this.#fs.rm(path, { recursive: true, force: true });
  }

  /** Every file that looks like one of ours, in no order; directories that are links are not followed. */
  async *files(): AsyncGenerator<NamedFile> {
    for (const first of await this.#list(this.#entries, LEVELS[0])) {
      const outer = join(this.#entries, first);
      for (const second of await this.#list(outer, LEVELS[1])) {
        const folder = join(outer, second);
        for (const { name } of await this.#read(folder)) {
          const [, id, kind] = NAME.exec(name) ?? [];
          if (id?.startsWith(first + second)) yield { id, path: join(folder, name), unfinished: kind !== 'entry' };
        }
      }
    }
  }

  /** Directories in `path` with names of that kind. */
  async #list(path: string, kind: RegExp): Promise<readonly string[]> {
    const found = await this.#read(path);
    return found.filter((entry) => entry.isDirectory() && kind.test(entry.name)).map(({ name }) => name);
  }

  async #read(path: string) {
    try {
      return await this.#fs.readdir(path, { withFileTypes: true });
    } catch (error) {
      // Nothing was ever stored, or it was moved aside meanwhile.
      if (codeOf(error) === 'ENOENT') return [];
      throw error;
    }
  }

  get #entries(): string {
    return join(this.path, 'entries');
  }

  #folderOf(id: string): string {
    return join(this.#entries, id.slice(0, 1), id.slice(1, 3));
  }
}
