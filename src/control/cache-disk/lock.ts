import { hostname } from 'node:os';
import { join } from 'node:path';
import type { Clock, TimerHandle } from '../../clock.ts';
import { CREATE, codeOf, FILE_MODE, type FileSystem, READ } from './file-system.ts';

/** How often the owner of a directory shows that it lives, and how long its word is taken. */
const BEAT_MS = 10_000;
const TRUST_MS = 35_000;

const MAX_LOCK_BYTES = 1024;

/** Directories that gateways of this very process own: a process id says nothing about them. */
const ownPaths = new Set<string>();

export type Locking = { readonly ok: true; readonly lock: Lock } | { readonly ok: false; readonly holder: string };

/**
 * Makes `directory` this gateway's, by a file `lock` that tells who owns it and is touched every 10 s. A lock is void when its
 * process is gone (on this machine; in another container nobody can tell) or when it was not touched for 35 s. Should two gateways
 * ever believe to own a directory, since one was suspended for long, they would evict each other's files, and nothing worse: names
 * are random, files are complete or torn, and a torn one is never served. Rejects with errors of the system.
 */
export async function takeLock(
  fs: FileSystem,
  directory: string,
  by: { readonly clock: Clock; readonly token: string },
): Promise<Locking> {
  if (ownPaths.has(directory)) return { ok: false, holder: `process ${process.pid}` };
  const path = join(directory, 'lock');
  ownPaths.add(directory);
  try {
    for (let tries = 0; ; tries += 1) {
      if (await create(fs, path, by.token)) return { ok: true, lock: new Lock(fs, directory, by) };
      const holder = await holderOf(fs, path, by.clock.now());
      if (holder !== null || tries > 0) {
        ownPaths.delete(directory);
        return { ok: false, holder: holder ?? 'another gateway' };
      }
      await fs.unlink(path).catch(ignoreMissing);
    }
  } catch (error) {
    ownPaths.delete(directory);
    throw error;
  }
}

async function create(fs: FileSystem, path: string, token: string): Promise<boolean> {
  try {
    const file = await fs.open(path, CREATE, FILE_MODE);
    try {
      await file.writeFile(`${process.pid} ${hostname()} ${token}\n`);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Who owns the directory, in words; `null` when nobody does any more. */
async function holderOf(fs: FileSystem, path: string, nowMs: number): Promise<string | null> {
  const found = await readLock(fs, path);
  if (found === null) return null;
  const { text, touchedAtMs } = found;
  const age = nowMs - touchedAtMs;
  // A clock that was set back may make a lock younger than now; one of the far future would never be void.
  if (age > TRUST_MS || age < -TRUST_MS) return null;
  const [pid = '', host = ''] = text.split(' ');
  if (host === hostname() && !isAlive(Number(pid))) return null;
  return host === hostname() ? `process ${pid}` : `process ${pid} on ${host}`;
}

async function readLock(
  fs: FileSystem,
  path: string,
): Promise<{ readonly text: string; readonly touchedAtMs: number } | null> {
  try {
    const file = await fs.open(path, READ);
    try {
      const buffer = Buffer.alloc(MAX_LOCK_BYTES);
      const { bytesRead } = await file.read(buffer, 0, MAX_LOCK_BYTES, 0);
      return { text: buffer.toString('latin1', 0, bytesRead), touchedAtMs: (await file.stat()).mtimeMs };
    } finally {
      await file.close();
    }
  } catch (error) {
    ignoreMissing(error);
    return null;
  }
}

/** Of this process, `ownPaths` has told already: a lock with its number is one of an earlier process with the same. */
function isAlive(pid: number): boolean {
  if (!Number.isInteger(pid) || pid <= 0 || pid === process.pid) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // It is somebody else's.
    return codeOf(error) === 'EPERM';
  }
}

function ignoreMissing(error: unknown): void {
  if (codeOf(error) !== 'ENOENT') throw error;
}

/** A directory that is ours until `release`, or until somebody has taken it. */
export class Lock {
  /** Set by the owner: the directory is another gateway's now. */
  onLost: (() => void) | null = null;
  readonly #fs: FileSystem;
  readonly #directory: string;
  readonly #clock: Clock;
  readonly #token: string;
  #timer: TimerHandle;
  #over = false;

  constructor(fs: FileSystem, directory: string, by: { readonly clock: Clock; readonly token: string }) {
    this.#fs = fs;
    this.#directory = directory;
    this.#clock = by.clock;
    this.#token = by.token;
    this.#timer = this.#arm();
  }

  /** Never rejects. */
  async release(): Promise<void> {
    if (this.#over) return;
    this.#over = true;
    this.#clock.cancel(this.#timer);
    // The next gateway finds out by itself.
    if (await this.#isOurs()) await this.#fs.unlink(this.#path).catch(() => {});
    ownPaths.delete(this.#directory);
  }

  #arm(): TimerHandle {
    return this.#clock.after(BEAT_MS, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    const isOurs = await this.#isOurs();
    if (this.#over) return;
    if (!isOurs) {
      this.#over = true;
      ownPaths.delete(this.#directory);
      this.onLost?.();
      return;
    }
    const now = this.#clock.now() / 1000;
    // A disk that takes no times takes no files either, and that is told there.
    await this.#fs.utimes(this.#path, now, now).catch(() => {});
    if (!this.#over) this.#timer = this.#arm();
  }

  async #isOurs(): Promise<boolean> {
    const found = await readLock(this.#fs, this.#path).catch(() => null);
    return found?.text.trimEnd().endsWith(` ${this.#token}`) ?? false;
  }

  get #path(): string {
    return join(this.#directory, 'lock');
  }
}
