import { join } from 'node:path';
import type { Clock } from '../../clock.ts';
import { DIRECTORY_MODE, type FileSystem } from './file-system.ts';
import { type Lock, takeLock } from './lock.ts';

export type Premises =
  | { readonly ok: true; readonly path: string; readonly lock: Lock }
  | { readonly ok: false; readonly reason: string };

/** Makes `path` if it is not there, and makes it ours. Rejects with errors of the system. */
export async function takePremises(
  fs: FileSystem,
  path: string,
  by: { readonly clock: Clock; readonly token: string },
): Promise<Premises> {
  await fs.mkdir(path, { recursive: true, mode: DIRECTORY_MODE });
  const real = await fs.realpath(path);
  const entries = join(real, 'entries');
  await fs.mkdir(entries, { recursive: true, mode: DIRECTORY_MODE });
  const stats = await fs.lstat(entries);
  // Somebody else's would hand us their bytes as ours, or read what was for others.
  if (!stats.isDirectory() || stats.isSymbolicLink()) return { ok: false, reason: `${entries} is no directory` };
  const uid = process.getuid?.();
  if (uid !== undefined && (stats.uid !== uid || (stats.mode & 0o022) !== 0)) {
    return { ok: false, reason: `others than the gateway's user own ${entries} or may write to it` };
  }
  const locking = await takeLock(fs, real, by);
  if (!locking.ok) return { ok: false, reason: `it is in use by ${locking.holder}` };
  return { ok: true, path: real, lock: locking.lock };
}
