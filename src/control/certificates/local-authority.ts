import { createPrivateKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { KeyPair, ServerCertificate } from '../../exchange/certificate.ts';
import { issueLeaf, newKey, selfSigned } from './authority.ts';
import { type Issuer, issuerOf } from './issuer.ts';
import { KeyFiles, type Trouble } from './key-files.ts';
import { fileNameOf } from './local-names.ts';
import { distributionPoint, OwnRevocationList } from './own-revocation-list.ts';

/** A certificate with less than this left, or a third of its life, is replaced when it is next asked for. */
const RENEW_BEFORE_MS = 30 * 86_400_000;
/** Leaves that are kept ready. Each takes 3 KB, and what TLS makes of it 30 KB. */
const IN_MEMORY = 512;
/** Leaves that are kept for the next start; two files each. */
const ON_DISK = 512;

const AUTHORITY = 'ca';
/** Every CA that Headgate makes is called so, and what machine it is of. */
export const AUTHORITY_NAME = 'Headgate local CA';

export interface LocalAuthorityOptions {
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
  readonly trouble?: Trouble;
  /** Where clients can fetch `revocationList()`, for the leaves to name. Default `null`: nowhere. */
  readonly revocationListUrl?: string | null;
}

/** A minted certificate, and when the next one is due, in milliseconds since the epoch. */
export interface Leaf {
  readonly certificate: ServerCertificate;
  readonly renewAtMs: number;
}

export interface LeafFiles {
  readonly certificate: string;
  readonly key: string;
  readonly pair: KeyPair;
}

/**
 * The local certificate authority of a directory: `ca.pem` and `ca-key.pem`, made at the first need, and one leaf for each
 * name that was asked for in `local/`. Keys have mode 0600 and never leave the directory. At most 512 leaves are
 * in memory, the least recently used goes; at most 512 are on disk: when a stranger asks for a million names, the rest is minted
 * again after a restart, which takes less than a millisecond each.
 */
export class LocalAuthority {
  readonly #now: () => number;
  readonly #trouble: Trouble;
  readonly #files: KeyFiles;
  readonly #leafFiles: KeyFiles;
  readonly #revocationListUrl: string | null;
  readonly #revocationList = new OwnRevocationList();
  #issuer: Issuer | null = null;
  /** In order of use. */
  readonly #leaves = new Map<string, Leaf>();
  /** Bounded by the handshakes in progress. */
  readonly #beingMade = new Map<string, Promise<ServerCertificate>>();
  /** Leaves on disk, once they are counted. */
  #stored = 0;
  #counted: Promise<void> | null = null;
  #said = false;

  constructor({ directory, now, trouble = () => {}, revocationListUrl = null }: LocalAuthorityOptions) {
    this.#revocationListUrl = revocationListUrl;
    this.#now = now;
    this.#trouble = trouble;
    this.#files = new KeyFiles(directory, trouble);
    this.#leafFiles = new KeyFiles(join(directory, 'local'), trouble);
  }

  /** The authority's certificate, for clients. */
  get certificateFile(): string {
    return this.#files.certificateFile(AUTHORITY);
  }

  /** Makes the authority unless it is there. Rejects with what is wrong with its files or their directory. */
  async open(): Promise<Issuer> {
    if (this.#issuer === null || !this.#isCurrent(this.#issuer)) this.#issuer = await this.#load();
    return this.#issuer;
  }

  /**
   * A current revocation list, DER; `null` unless the authority was opened, and for one that was not made here: it may have revoked
   * certificates that we do not know of, and an empty list with its signature would deny that.
   */
  revocationList(): Buffer | null {
    const issuer = this.#issuer;
    return issuer === null || !isOurs(issuer.certificate) ? null : this.#revocationList.of(issuer, this.#now());
  }

  /**
   * The leaf for one name, in lower case: at once when it is in memory, else stored or new. Handshakes that wait for the same one wait
   * together. Rejects when the authority can't be used any more; a disk that can't be written is only trouble.
   */
  certificateFor(name: string): ServerCertificate | Promise<ServerCertificate> {
    const leaf = this.#leaves.get(name);
    if (leaf !== undefined && this.#now() < leaf.renewAtMs) {
      this.#leaves.delete(name);
      this.#leaves.set(name, leaf);
      return leaf.certificate;
    }
    const waiting = this.#beingMade.get(name);
    if (waiting !== undefined) return waiting;
    const making = this.#make(name).finally(() => this.#beingMade.delete(name));
    this.#beingMade.set(name, making);
    return making;
  }

  /** The stored leaf for all of `names` if it is still good, else a new one, which is stored if that can be. */
  async leafFor(names: readonly string[]): Promise<Leaf> {
    const issuer = await this.open();
    const stored = await this.#stillGood(names, issuer);
    if (stored !== null) return leafOf(stored);
    const pair = this.#issue(issuer, names);
    await this.#keep(names, pair, issuer);
    return leafOf(pair);
  }

  /** As `leafFor`, and where its files are. Rejects when they can't be written; the bound does not count here. */
  async filesFor(names: readonly string[]): Promise<LeafFiles> {
    const issuer = await this.open();
    const file = fileNameOf(names);
    let pair = await this.#stillGood(names, issuer);
    if (pair === null) {
      pair = this.#issue(issuer, names);
      await this.#leafFiles.write(file, pair);
    }
    return { certificate: this.#leafFiles.certificateFile(file), key: this.#leafFiles.keyFile(file), pair };
  }

  #issue(issuer: Issuer, names: readonly string[]): KeyPair {
    return issueLeaf(issuer, names, { nowMs: this.#now(), revocationList: this.#listOf(issuer) });
  }

  /** Where the revocation list of this one is, or `null`. */
  #listOf({ certificate }: Issuer): string | null {
    return isOurs(certificate) ? this.#revocationListUrl : null;
  }

  async #make(name: string): Promise<ServerCertificate> {
    const leaf = await this.leafFor([name]);
    this.#leaves.delete(name);
    this.#leaves.set(name, leaf);
    const [oldest] = this.#leaves.keys();
    if (this.#leaves.size > IN_MEMORY && oldest !== undefined) this.#leaves.delete(oldest);
    return leaf.certificate;
  }

  async #load(): Promise<Issuer> {
    const [certificate, key] = await Promise.all([this.#files.certificate(AUTHORITY), this.#files.key(AUTHORITY)]);
    if (certificate !== null && key !== null) {
      const stored = issuerOf({ certificate, key });
      if (this.#isCurrent(stored)) return stored;
      if (!isOurs(stored.certificate)) throw new Error(`it ended on ${dayOf(stored)}: put another in its place`);
    } else if (certificate !== null && !isOurs(new X509Certificate(certificate))) {
      throw new Error(`its key is missing: ${this.#files.keyFile(AUTHORITY)}`);
    }
    // Half an authority is of no use, and one that ends soon must make room. Only what was made here can be made again.
    if (certificate !== null) await this.#files.remove(AUTHORITY);
    // Gateways that start together agree on one: whoever comes first makes the key, and whoever has the key the certificate.
    const claimedKey = await this.#files.claimKey(AUTHORITY, newKey());
    const fresh = selfSigned(claimedKey, `${AUTHORITY_NAME} (${hostname()})`, this.#now());
    return issuerOf({ certificate: await this.#files.claimCertificate(AUTHORITY, fresh), key: claimedKey });
  }

  async #stillGood(names: readonly string[], issuer: Issuer): Promise<KeyPair | null> {
    const file = fileNameOf(names);
    try {
      const [certificate, key] = await Promise.all([this.#leafFiles.certificate(file), this.#leafFiles.key(file)]);
      if (certificate === null || key === null) return null;
      const pair = { certificate, key };
      return this.#isGood(pair, names, issuer) ? pair : null;
    } catch (error) {
      // Not PEM, or not for us to read: a new one does as well.
      this.#trouble(`Cannot use the stored certificate for ${names[0]}: ${(error as Error).message}`);
      return null;
    }
  }

  #isGood(pair: KeyPair, names: readonly string[], issuer: Issuer): boolean {
    const leaf = new X509Certificate(pair.certificate);
    if (!pair.certificate.endsWith(issuer.pair.certificate) || !leaf.verify(issuer.certificate.publicKey)) return false;
    if (!leaf.checkPrivateKey(createPrivateKey(pair.key)) || leafOf(pair).renewAtMs <= this.#now()) return false;
    if (leaf.validFromDate.getTime() > this.#now()) return false;
    const list = this.#listOf(issuer);
    // From before there was a list, or it has moved with the admin listener. Who publishes none does not mind the name of one.
    if (list !== null && !leaf.raw.includes(distributionPoint(list))) return false;
    return names.every((name) => (isIP(name) === 0 ? leaf.checkHost(name) : leaf.checkIP(name)) !== undefined);
  }

  /** Ours makes room for the next one in good time; who brought another one looks after it. */
  #isCurrent({ certificate, notAfterMs }: Issuer): boolean {
    return notAfterMs > this.#now() + (isOurs(certificate) ? RENEW_BEFORE_MS : 0);
  }

  async #keep(names: readonly string[], pair: KeyPair, issuer: Issuer): Promise<void> {
    try {
      if (await this.#hasRoom(fileNameOf(names), issuer)) await this.#leafFiles.write(fileNameOf(names), pair);
      else this.#sayOnce(`There are ${ON_DISK} certificates in ${this.#leafFiles.directory}: no more are kept`);
    } catch (error) {
      this.#sayOnce(`Cannot keep minted certificates: ${(error as Error).message}`);
    }
  }

  /** One line, not one for each handshake. */
  #sayOnce(message: string): void {
    if (!this.#said) this.#trouble(message);
    this.#said = true;
  }

  /** A certificate that replaces an earlier one takes no room; one that is new has to find some. */
  async #hasRoom(file: string, issuer: Issuer): Promise<boolean> {
    // Together, or handshakes that come first would each begin at the same number.
    this.#counted ??= this.#count(issuer);
    await this.#counted;
    if ((await this.#leafFiles.certificate(file)) !== null) return true;
    if (this.#stored >= ON_DISK) return false;
    this.#stored += 1;
    return true;
  }

  async #count(issuer: Issuer): Promise<void> {
    try {
      this.#stored = await this.#countStored(issuer);
    } catch (error) {
      this.#counted = null;
      throw error;
    }
  }

  /** Counts what is on disk. When that is too much, certificates that have run out or are of another authority are removed first. */
  async #countStored(issuer: Issuer): Promise<number> {
    const names = await this.#leafFiles.names();
    if (names.length < ON_DISK) return names.length;
    let kept = 0;
    for (const name of names) {
      if (await this.#isOutdated(name, issuer)) await this.#leafFiles.remove(name);
      else kept += 1;
    }
    return kept;
  }

  async #isOutdated(name: string, issuer: Issuer): Promise<boolean> {
    const certificate = await this.#leafFiles.certificate(name);
    if (certificate === null || !certificate.endsWith(issuer.pair.certificate)) return true;
    return new X509Certificate(certificate).validToDate.getTime() <= this.#now();
  }
}

function isOurs(authority: X509Certificate): boolean {
  return authority.subject?.includes(`CN=${AUTHORITY_NAME}`) === true;
}

function dayOf({ notAfterMs }: Issuer): string {
  return new Date(notAfterMs).toISOString().slice(0, 10);
}

function leafOf(pair: KeyPair): Leaf {
  const { validFromDate, validToDate } = new X509Certificate(pair.certificate);
  const notAfterMs = validToDate.getTime();
  // Of an authority that ends soon they are short, and still not made anew for each handshake.
  const before = Math.min(RENEW_BEFORE_MS, (notAfterMs - validFromDate.getTime()) / 3);
  return { certificate: { pairs: [pair], ocspResponse: null }, renewAtMs: notAfterMs - before };
}
