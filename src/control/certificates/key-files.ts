import { randomBytes } from 'node:crypto';
import { type FileHandle, link, mkdir, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from '../../exchange/certificate.ts';

/** Hears of what is worth a line in the log and stops nothing. */
export type Trouble = (message: string) => void;

/**
 * Certificates and keys of one directory: `NAME.pem` with mode 0644, `NAME-key.pem` with mode 0600. Readers never see half a
 * file. Every method rejects with what the file system says; a file that is not there is no failure.
 */
export class KeyFiles {
  readonly directory: string;
  readonly #trouble: Trouble;

  constructor(directory: string, trouble: Trouble) {
    this.directory = directory;
    this.#trouble = trouble;
  }

  certificateFile(name: string): string {
    return join(this.directory, `${name}.pem`);
  }

  keyFile(name: string): string {
    return join(this.directory, `${name}-key.pem`);
  }

  async certificate(name: string): Promise<string | null> {
    return unlessMissing(readFile(this.certificateFile(name), 'utf8'));
  }

  /** A key that others may read is given mode 0600 first, and that it was open is said. */
  async key(name: string): Promise<string | null> {
    const file = this.keyFile(name);
    const handle = await unlessMissing(open(file, 'r'));
    if (handle === null) return null;
    try {
      const { mode } = await handle.stat();
      // Windows has no such modes: Node makes them up there.
      if ((mode & 0o077) !== 0 && process.platform !== 'win32') await this.#tighten(file, handle, mode);
      return await handle.readFile('utf8');
    } finally {
      await handle.close();
    }
  }

  /** Key first: a certificate is never there without its key. */
  async write(name: string, pair: KeyPair): Promise<void> {
    await mkdir(this.directory, { recursive: true });
    await replace(this.keyFile(name), pair.key, 0o600);
    await replace(this.certificateFile(name), pair.certificate, 0o644);
  }

  /** Writes the key unless there is one; resolves with the one that is there then. Of several processes one wins. */
  async claimKey(name: string, key: string): Promise<string> {
    await mkdir(this.directory, { recursive: true });
    await claim(this.keyFile(name), key, 0o600);
    return (await this.key(name)) ?? key;
  }

  /** As `claimKey`, for the certificate. */
  async claimCertificate(name: string, certificate: string): Promise<string> {
    await claim(this.certificateFile(name), certificate, 0o644);
    return (await this.certificate(name)) ?? certificate;
  }

  async remove(name: string): Promise<void> {
    await rm(this.certificateFile(name), { force: true });
    await rm(this.keyFile(name), { force: true });
  }

  /** Names that have a certificate. */
  async names(): Promise<string[]> {
    const files = (await unlessMissing(readdir(this.directory))) ?? [];
    return files.flatMap((file) => (file.endsWith('.pem') && !file.endsWith('-key.pem') ? [file.slice(0, -4)] : []));
  }

  async #tighten(file: string, handle: FileHandle, mode: number): Promise<void> {
    const was = `${file} could be read by others (mode 0${(mode & 0o777).toString(8)})`;
    try {
      await handle.chmod(0o600);
      this.#trouble(`${was}; it has mode 0600 now`);
    } catch (error) {
      this.#trouble(`${was} and can't be changed: ${(error as Error).message}`);
    }
  }
}

async function unlessMissing<T>(reading: Promise<T>): Promise<T | null> {
  try {
    return await reading;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function replace(file: string, text: string, mode: number): Promise<void> {
  const temporary = await temporaryFile(file, text, mode);
  try {
    await rename(temporary, file);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function claim(file: string, text: string, mode: number): Promise<void> {
  const temporary = await temporaryFile(file, text, mode);
  try {
    // Unlike a rename, a link does not replace what is there.
    await unlessTaken(link(temporary, file));
  } catch {
    // Some file systems (FAT, network shares) have no links. Then a reader may see half a file, for a moment and once.
    await unlessTaken(writeFile(file, text, { mode, flag: 'wx' }));
  } finally {
    await rm(temporary, { force: true });
  }
}

async function unlessTaken(claiming: Promise<void>): Promise<void> {
  try {
    await claiming;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
}

/** In the same directory, under a name that nobody could have guessed and put a link at. */
async function temporaryFile(file: string, text: string, mode: number): Promise<string> {
  const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    await writeFile(temporary, text, { mode, flag: 'wx' });
    return temporary;
  } catch (error) {
    // A full disk leaves half of it.
    await rm(temporary, { force: true });
    throw error;
  }
}
