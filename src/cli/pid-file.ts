import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { StartError } from '../gateway/start-error.ts';

/** What of other processes has to be known. Tests pass their own. */
export interface Processes {
  readonly pid: number;
  isAlive(pid: number): boolean;
  /** Epoch milliseconds; `null` where it can't be found out. */
  startedAt(pid: number): number | null;
}

/** Clocks of the kernel and of file systems are so far apart at most. */
const SLACK_MS = 2_000;

/**
 * The file that says which process the gateway is: its number and a line end. It is there from when the gateway listens to when it
 * has ended, and is never anybody else's.
 */
export class PidFile {
  readonly #path: string;
  readonly #processes: Processes;

  constructor(path: string, processes: Processes = thisMachine) {
    this.#path = resolve(path);
    this.#processes = processes;
  }

  /**
   * Throws a `StartError` while the process that the file names is alive and can have written it; one that has begun after the
   * file was written has only got the same number. For before anything is opened.
   */
  refuseLiving(): void {
    const pid = this.#named();
    if (pid === null || pid === this.#processes.pid || !this.#processes.isAlive(pid)) return;
    const startedAt = this.#processes.startedAt(pid);
    if (startedAt !== null && startedAt > this.#writtenAt() + SLACK_MS) return;
    const message = `A gateway runs already: ${this.#path} names process ${pid}, which is alive; stop it, or give this one another pidFile`;
    throw new StartError(message, { obstacle: 'already-running' });
  }

  /** Throws a `StartError` where it can't be written. Who reads it sees the whole of it or nothing. */
  write(): void {
    const temporary = `${this.#path}.${this.#processes.pid}.tmp`;
    try {
      writeFileSync(temporary, `${this.#processes.pid}\n`, { mode: 0o644 });
      renameSync(temporary, this.#path);
    } catch (cause) {
      rmSync(temporary, { force: true });
      const { code = '' } = cause as NodeJS.ErrnoException;
      const obstacle = ['EACCES', 'EPERM', 'EROFS'].includes(code) ? 'no-permission' : 'configuration';
      throw new StartError(`Cannot write the PID file ${this.#path}: ${reasonOf(code)}`, { obstacle, cause });
    }
  }

  /** Unless it names another process by now. Synchronous, for the very end; never throws. */
  remove(): void {
    if (this.#named() !== this.#processes.pid) return;
    try {
      rmSync(this.#path, { force: true });
    } catch {
      // EACCES, EROFS: what is left behind is stale, and the next start replaces it.
    }
  }

  /** `null` where there is no such file, or no number in it. */
  #named(): number | null {
    try {
      const text = readFileSync(this.#path, 'utf8').trim();
      return /^[1-9]\d{0,9}$/.test(text) ? Number(text) : null;
    } catch {
      // ENOENT as a rule; whatever else is wrong, `write` says.
      return null;
    }
  }

  #writtenAt(): number {
    return statSync(this.#path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  }
}

function reasonOf(code: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return 'its directory does not exist';
  return code === 'EISDIR' ? 'it is a directory' : code;
}

const thisMachine: Processes = {
  pid: process.pid,
  isAlive(pid) {
    try {
      process.kill(pid, 0);
      return true;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code === 'EPERM';
    }
  },
  startedAt(pid) {
    try {
      // proc(5): after the name, which may hold anything and ends with the last bracket, `starttime` is the 20th field.
      const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const ticks = Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[19]);
      const bootSeconds = Number(/^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'latin1'))?.[1]);
      const at = bootSeconds * 1000 + ticks * MS_PER_TICK;
      return Number.isFinite(at) ? at : null;
    } catch {
      // No /proc (macOS), or it has just ended.
      return null;
    }
  },
};

/** USER_HZ is 100 on every architecture that Node runs on. */
const MS_PER_TICK = 10;
