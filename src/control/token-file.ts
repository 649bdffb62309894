import { stat } from 'node:fs/promises';
import type { Clock } from '../clock.ts';
import { TOKEN } from '../config/schema/admin.ts';
import { readNamedFile, readNamedFileLater } from './named-file.ts';

/** The file is looked at no more often than this. */
const LOOK_MS = 1_000;

export interface TokenFileParts {
  readonly clock: Clock;
  /** The file has another token from now on. Must not throw. */
  readonly changed: () => void;
  /** It can't be used any more, and why: the token that it had before still counts. Said once for each reason. Must not throw. */
  readonly failed: (problem: string) => void;
}

/**
 * The token in a file, without the line end behind it, read again when the file changes: so that it can be replaced while the
 * gateway runs. Blocks nobody: a file system that hangs holds up those alone who need the token.
 */
export class TokenFile {
  readonly #path: string;
  readonly #parts: TokenFileParts;
  #token: string;
  #state = '';
  #problem: string | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | null = null;

  /** Reads it for the first time. Throws what `tokenProblem` would say. */
  constructor(path: string, parts: TokenFileParts) {
    this.#path = path;
    this.#parts = parts;
    this.#token = tokenOf(readNamedFile(path));
  }

  /** The one that counts now. Never rejects. */
  async current(): Promise<string> {
    const now = this.#parts.clock.monotonic();
    if (this.#looking === null && now - this.#lookedAtMs >= LOOK_MS) {
      this.#lookedAtMs = now;
      this.#looking = this.#look().finally(() => {
        this.#looking = null;
      });
    }
    await this.#looking;
    return this.#token;
  }

  async #look(): Promise<void> {
    try {
      const { mtimeMs, ctimeMs, size, ino } = await stat(this.#path);
      const state = `${ino} ${size} ${mtimeMs} ${ctimeMs}`;
      if (state === this.#state) return;
      const token = tokenOf(await readNamedFileLater(this.#path));
      this.#state = state;
      this.#problem = null;
      if (token === this.#token) return;
      this.#token = token;
      this.#parts.changed();
    } catch (error) {
      this.#fail(problemOf(error));
    }
  }

  #fail(problem: string): void {
    if (problem !== this.#problem) this.#parts.failed(problem);
    this.#problem = problem;
  }
}

/** Why a file can't be used as one that holds a token; `null` for one that can. */
export function tokenProblem(path: string): string | null {
  try {
    tokenOf(readNamedFile(path));
    return null;
  } catch (error) {
    return problemOf(error);
  }
}

function tokenOf(bytes: Buffer): string {
  const token = bytes.toString('latin1').replace(/[\r\n]+$/, '');
  if (TOKEN.test(token)) return token;
  throw new Error('it holds no token: 16 characters at least, visible ASCII without blanks');
}

function problemOf(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  return code ?? message;
}
