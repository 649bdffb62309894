import { type FileHandle, type FileSystem, READ } from './file-system.ts';

/** Files that are open for reading at the same time. Node raises the limit of the process to what the system allows, mostly 4096 and more. */
const MAX_OPEN = 512;

/** A file that is open for one or more readers. */
export interface SharedFile {
  readonly handle: FileHandle;
  /** Each reader, once. */
  release(): void;
}

interface Opened {
  readonly handle: Promise<FileHandle>;
  users: number;
}

/** Opens each file once for all who read it, and closes it behind the last. Bounded: what is beyond is not opened. */
export class OpenFiles {
  readonly #fs: FileSystem;
  readonly #opened = new Map<string, Opened>();

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  get count(): number {
    return this.#opened.size;
  }

  /** `null` when too many are open. Rejects with errors of the system. */
  async acquire(path: string): Promise<SharedFile | null> {
    const known = this.#opened.get(path);
    if (known === undefined && this.#opened.size >= MAX_OPEN) return null;
    const opened = known ?? { handle: this.#fs.open(path, READ), users: 0 };
    if (known === undefined) this.#opened.set(path, opened);
    opened.users += 1;
    try {
      const handle = await opened.handle;
      let held = true;
      const release = (): void => {
        if (held) this.#release(path, opened);
        held = false;
      };
      return { handle, release };
    } catch (error) {
      this.#release(path, opened);
      throw error;
    }
  }

  #release(path: string, opened: Opened): void {
    opened.users -= 1;
    if (opened.users > 0) return;
    this.#opened.delete(path);
    // It waits for what is being read. It could not be opened, or not be closed: either way nothing is left to do.
    opened.handle.then((handle) => handle.close()).catch(() => {});
  }
}
