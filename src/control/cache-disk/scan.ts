import type { Directory, NamedFile } from './directory.ts';
import { type FoundFile, readEntryFile } from './entry-file.ts';
import { codeOf, type FileSystem } from './file-system.ts';

/** Files that are read at the same time: what is asked for meanwhile finds a thread. */
const AT_ONCE = 2;

export interface ScanParts {
  readonly fs: FileSystem;
  readonly directory: Directory;
  /** Known already, or being written now. */
  readonly isOurs: (id: string) => boolean;
  /** A whole file; false when it is of no use. */
  readonly adopt: (found: FoundFile) => boolean;
  /** The scan is not wanted any more. */
  readonly stopped: () => boolean;
  readonly failed: (code: string) => void;
}

/**
 * Looks at every file that an earlier life has left: whole ones are adopted, and torn ones, those of another version and unfinished
 * ones deleted. Files with other names are not touched, nor are links followed. Takes turns with everything else; resolves
 * with how many were deleted, and never rejects.
 */
export async function scan(parts: ScanParts): Promise<number> {
  const files = parts.directory.files();
  let removed = 0;
  const work = async (): Promise<void> => {
    for (let next = await files.next(); next.done !== true; next = await files.next()) {
      if (parts.stopped()) return;
      if (await isUseless(next.value, parts)) removed += await remove(next.value, parts);
    }
  };
  try {
    await Promise.all(Array.from({ length: AT_ONCE }, work));
  } catch (error) {
    parts.failed(codeOf(error));
  }
  return removed;
}

async function isUseless({ id, path, unfinished }: NamedFile, parts: ScanParts): Promise<boolean> {
  if (parts.isOurs(id)) return false;
  if (unfinished) return true;
  try {
    const found = await readEntryFile(parts.fs, path, id);
    // Meanwhile it may have been written, by a coincidence of names; then it is what the index knows.
    if (parts.stopped() || parts.isOurs(id)) return false;
    return found === null || !parts.adopt(found);
  } catch (error) {
    parts.failed(codeOf(error));
    return false;
  }
}

async function remove({ path }: NamedFile, parts: ScanParts): Promise<number> {
  try {
    await parts.fs.unlink(path);
    return 1;
  } catch (error) {
    parts.failed(codeOf(error));
    return 0;
  }
}
