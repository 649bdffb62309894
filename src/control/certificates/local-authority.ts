import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { KeyPair } from '../../exchange/certificate.ts';

/** A certificate with less than this left is replaced at the next start. */
const RENEW_BEFORE_MS = 30 * 86_400_000;

/**
 * The local certificate authority of a directory: `ca.pem` and `ca-key.pem`, made at the first need, and one leaf for each
 * set of names beside them. Keys are written with mode 0600 and never leave the directory.
 */
export class LocalAuthority {
  readonly #directory: string;
  readonly #now: () => number;

  constructor(directory: string, now: () => number) {
    this.#directory = directory;
    this.#now = now;
  }

  /** The authority's certificate, for `headgate trust` and for tests. */
  get certificateFile(): string {
    return join(this.#directory, 'ca.pem');
  }

  /** The stored leaf for `names` if it is still good, else a new one. Rejects with what the file system says. */
  async certificateFor(names: readonly string[]): Promise<KeyPair> {
    await mkdir(this.#directory, { recursive: true });
    const authority = await this.#authority();
    const file = fileNameOf(names);
    const stored = await this.#read(file);
    if (stored !== null && this.#isGood(stored, names, authority)) return stored;
    const { issueLeaf } = await import('./authority.ts');
    const leaf = await issueLeaf(authority, names, this.#now());
    await this.#write(file, leaf);
    return leaf;
  }

  async #authority(): Promise<KeyPair> {
    const stored = await this.#read('ca');
    if (stored !== null && this.#isCurrent(new X509Certificate(stored.certificate))) return stored;
    // Imported only when something is minted: the ASN.1 packages take 60 ms that a second start need not spend.
    const { createAuthority } = await import('./authority.ts');
    const authority = await createAuthority(`Headgate local CA (${hostname()})`, this.#now());
    await this.#write('ca', authority);
    return authority;
  }

  #isGood(pair: KeyPair, names: readonly string[], authority: KeyPair): boolean {
    const leaf = new X509Certificate(pair.certificate);
    const issuer = new X509Certificate(authority.certificate);
    if (!this.#isCurrent(leaf) || !leaf.verify(issuer.publicKey) || !leaf.checkPrivateKey(createPrivateKey(pair.key))) {
      return false;
    }
    return names.every((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined);
  }

  #isCurrent(certificate: X509Certificate): boolean {
    const now = this.#now();
    return certificate.validFromDate.getTime() <= now && certificate.validToDate.getTime() > now + RENEW_BEFORE_MS;
  }

  async #read(name: string): Promise<KeyPair | null> {
    try {
      const [certificate, key] = await Promise.all([
        readFile(join(this.#directory, `${name}.pem`), 'utf8'),
        readFile(join(this.#directory, `${name}-key.pem`), 'utf8'),
      ]);
      return { certificate, key };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
      throw error;
    }
  }

  /** Key first: a certificate is never there without its key. Through a rename, so that no reader sees half a file. */
  async #write(name: string, pair: KeyPair): Promise<void> {
    await writeAtomically(join(this.#directory, `${name}-key.pem`), pair.key, 0o600);
    await writeAtomically(join(this.#directory, `${name}.pem`), pair.certificate, 0o644);
  }
}

async function writeAtomically(file: string, text: string, mode: number): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  await writeFile(temporary, text, { mode });
  await rename(temporary, file);
}

/** `localhost+2` for localhost and two more names, as mkcert does; `_.example.com` for a wildcard. Safe on every system. */
function fileNameOf(names: readonly string[]): string {
  const first = (names[0] ?? 'localhost').toLowerCase().replace(/[^a-z0-9.-]/g, '_');
  return names.length > 1 ? `${first}+${names.length - 1}` : first;
}
