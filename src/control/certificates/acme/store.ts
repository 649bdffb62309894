import { createHash, createPrivateKey, randomBytes, X509Certificate } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { KeyPair } from '../../../exchange/certificate.ts';

/** What is remembered of an account: its key, and where the authority keeps it. */
export interface StoredAccount {
  readonly keyPem: string;
  /** `null` when the key was stored but registering it never succeeded. */
  readonly url: string | null;
  readonly email: string | null;
  /** Of the external account that it was bound to, or `null`. */
  readonly eabKid: string | null;
}

/**
 * What one authority gave to this gateway: `account.json` and one PEM file with key and chain for each set of names, under
 * `acme/HOST/PATH` of the certificates directory. Files are for their owner alone (0600, directories 0700) and change by rename,
 * so that key and chain are always of each other. Rejects with what the file system says.
 */
export class AcmeStore {
  readonly directory: string;

  constructor(certificatesDirectory: string, directoryUrl: string) {
    const { host, pathname } = new URL(directoryUrl);
    this.directory = join(certificatesDirectory, 'acme', fileSafe(host), fileSafe(pathname.replace(/^\/+/, '')));
  }

  /** `null` for none, and for one that can't be read as such. */
  async readAccount(): Promise<StoredAccount | null> {
    const text = await readIfThere(join(this.directory, 'account.json'));
    return text === null ? null : accountOf(text);
  }

  async writeAccount(account: StoredAccount): Promise<void> {
    await this.#write('account.json', `${JSON.stringify(account, null, 2)}\n`);
  }

  /** The stored certificate for exactly these names, with its key; `null` when there is none, or it is not whole. */
  async readCertificate(names: readonly string[]): Promise<KeyPair | null> {
    const text = await readIfThere(join(this.directory, fileNameOf(names)));
    if (text === null) return null;
    const at = text.indexOf('-----BEGIN CERTIFICATE-----');
    if (at === -1) return null;
    const pair = { key: text.slice(0, at), certificate: text.slice(at) };
    return chainOf(pair.certificate) !== null && isFor(pair, names) ? pair : null;
  }

  async writeCertificate(names: readonly string[], pair: KeyPair): Promise<void> {
    await this.#write(fileNameOf(names), `${pair.key.trim()}\n${pair.certificate}`);
  }

  async #write(name: string, text: string): Promise<void> {
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    const file = join(this.directory, name);
    // Gateways that share a directory may have the same process id, each in its container.
    const temporary = `${file}.${randomBytes(6).toString('hex')}.tmp`;
    try {
      await writeThrough(temporary, text);
      await rename(temporary, file);
    } catch (error) {
      await rm(temporary, { force: true });
      throw error;
    }
  }
}

async function writeThrough(file: string, text: string): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    // A key that was lost in a power cut costs an order, and those are rationed.
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The certificates of a PEM text and nothing else of it; `null` when there is none, or one that can't be read. */
export function chainOf(text: string): string | null {
  const blocks = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  try {
    return blocks.length === 0 ? null : blocks.map((block) => String(new X509Certificate(block))).join('');
  } catch {
    // ERR_OSSL_…: OpenSSL would refuse it at the first handshake.
    return null;
  }
}

/** Is `pair` a certificate for all of `names`, and the key its own? Its dates are another question. */
export function isFor(pair: KeyPair, names: readonly string[]): boolean {
  try {
    const leaf = new X509Certificate(pair.certificate);
    if (!leaf.checkPrivateKey(createPrivateKey(pair.key))) return false;
    return names.every((name) => leaf.checkHost(name, { subject: 'never' }) !== undefined);
  } catch {
    // ERR_OSSL_…: not PEM, or half of it.
    return false;
  }
}

/** `shop.example+2-1f2e3d4c.pem`: for people by the first name, for us by all of them. */
function fileNameOf(names: readonly string[]): string {
  const sorted = [...names].sort();
  const digest = createHash('sha256').update(sorted.join('\n')).digest('hex').slice(0, 8);
  const others = names.length > 1 ? `+${names.length - 1}` : '';
  return `${(sorted[0] ?? '').slice(0, 100)}${others}-${digest}.pem`;
}

/** Distinct enough, and nothing that leads elsewhere. */
function fileSafe(text: string): string {
  return text.replace(/[^A-Za-z0-9.-]|^\.+/g, '_').slice(0, 200) || '_';
}

function accountOf(text: string): StoredAccount | null {
  let json: Partial<Record<keyof StoredAccount, unknown>> | null;
  try {
    json = JSON.parse(text);
  } catch {
    return null; // SyntaxError: edited by hand
  }
  if (typeof json?.keyPem !== 'string') return null;
  const { keyPem } = json;
  return { keyPem, url: textOrNull(json.url), email: textOrNull(json.email), eabKid: textOrNull(json.eabKid) };
}

function textOrNull(value: unknown): string | null {
  return typeof value === 'string' ? value : null;
}

/** Somebody else's file, or a read-only mount: whether it can be read is another question. */
function unlessGone(error: NodeJS.ErrnoException): void {
  if (error.code === 'ENOENT') throw error;
}

async function readIfThere(file: string): Promise<string | null> {
  try {
    // A copy or a restored backup may have been left open to others.
    await chmod(file, 0o600).catch(unlessGone);
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}
