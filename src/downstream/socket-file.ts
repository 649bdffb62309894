import { chmod, lstat, stat, unlink } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';
import { isMainThread } from 'node:worker_threads';

/** A Unix socket that no process listens on any more: the one that did ended without removing it. */
export async function isStaleSocket(path: string): Promise<boolean> {
  const file = await lstat(path).catch(() => null);
  // Connecting to another kind of file is refused too, and it may be somebody's data.
  return file?.isSocket() === true && (await isRefused(path));
}

/** What to say instead of `denied`, the `EACCES` that libuv makes of `ENOENT`; `denied` itself if the directory is there. */
export async function missingDirectory(path: string, denied: unknown): Promise<unknown> {
  const directory = dirname(path);
  return stat(directory).then(
    () => denied,
    (cause: NodeJS.ErrnoException) => {
      const { code = 'ENOENT' } = cause;
      return Object.assign(new Error(`Cannot listen on ${path}: ${directory}: ${code}`, { cause }), { code });
    },
  );
}

/** Gone already is as good. */
export async function removeSocket(path: string): Promise<void> {
  await unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
}

/**
 * Calls `bind`, which makes the file before it returns, so that nobody can connect until `restrictSocket`. Not in a worker
 * thread, which may not set the umask: there the file has what the umask of the process leaves until then.
 */
export function unseen<T>(bind: () => T): T {
  if (!isMainThread) return bind();
  const umask = process.umask(0o777);
  try {
    return bind();
  } finally {
    process.umask(umask);
  }
}

/** From now on those may connect who have write permission. */
export async function restrictSocket(path: string, mode: number): Promise<void> {
  await chmod(path, mode);
}

function isRefused(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const socket = connect({ path });
  socket.on('connect', () => {
    socket.destroy();
    resolve(false);
  });
  // EACCES, EAGAIN (its queue is full): somebody may well be there.
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code === 'ECONNREFUSED'));
  return promise;
}
