import { constants } from 'node:fs';
import type * as promises from 'node:fs/promises';

/** What the tier asks of the system. A parameter, because a full disk is nothing a test can wait for. */
export type FileSystem = Pick<
  typeof promises,
  'open' | 'rename' | 'unlink' | 'mkdir' | 'readdir' | 'lstat' | 'rm' | 'utimes' | 'readFile' | 'realpath'
>;

export type FileHandle = promises.FileHandle;

/** Made anew and never through a link that somebody put there. */
export const CREATE = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
export const READ = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
export const CHANGE = constants.O_RDWR | constants.O_NOFOLLOW | constants.O_NONBLOCK;

/** Private data: what one user was shown may be in it. */
export const FILE_MODE = 0o600;
export const DIRECTORY_MODE = 0o700;

/** The system's name for what went wrong; `unknown` for what is no error of the system. */
export function codeOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return typeof code === 'string' && /^E[A-Z0-9]{2,15}$/.test(code) ? code : 'unknown';
}

/** Reads up to `buffer.byteLength` bytes from `position`; fewer at the end of the file. */
export async function readFully(file: FileHandle, buffer: Buffer, position: number): Promise<number> {
  let total = 0;
  while (total < buffer.byteLength) {
    const { bytesRead } = await file.read(buffer, total, buffer.byteLength - total, position + total);
    if (bytesRead === 0) break;
    total += bytesRead;
  }
  return total;
}
