import {
  createDecipheriv,
  createHmac,
  createPrivateKey,
  type KeyObject,
  pbkdf2Sync,
  X509Certificate,
} from 'node:crypto';
import {
  childOf,
  childrenOf,
  contextTag,
  type Der,
  expectTag,
  oidOf,
  readDer,
  smallNumberOf,
  tags,
} from './der-reader.ts';
import { bmpString, type DigestName, pkcs12Derive } from './pkcs12-derivation.ts';

/** Why a PKCS#12 file can't be used. */
export class Pkcs12Error extends Error {
  override readonly name = 'Pkcs12Error';
  readonly about: 'pkcs12' | 'passphrase';

  constructor(message: string, about: 'pkcs12' | 'passphrase' = 'pkcs12') {
    super(message);
    this.about = about;
  }
}

export interface Pkcs12Content {
  readonly certificates: readonly X509Certificate[];
  readonly key: KeyObject;
}

const OID = {
  data: '1.2.840.113549.1.7.1',
  encryptedData: '1.2.840.113549.1.7.6',
  keyBag: '1.2.840.113549.1.12.10.1.1',
  shroudedKeyBag: '1.2.840.113549.1.12.10.1.2',
  certBag: '1.2.840.113549.1.12.10.1.3',
  pbes2: '1.2.840.113549.1.5.13',
  pbkdf2: '1.2.840.113549.1.5.12',
  tripleDes: '1.2.840.113549.1.12.1.3',
} as const;

const CIPHERS: Readonly<Record<string, { readonly name: string; readonly keyBytes: number }>> = {
  '2.16.840.1.101.3.4.1.2': { name: 'aes-128-cbc', keyBytes: 16 },
  '2.16.840.1.101.3.4.1.22': { name: 'aes-192-cbc', keyBytes: 24 },
  '2.16.840.1.101.3.4.1.42': { name: 'aes-256-cbc', keyBytes: 32 },
  '1.2.840.113549.3.7': { name: 'des-ede3-cbc', keyBytes: 24 },
};

const PRFS: Readonly<Record<string, string>> = {
  '1.2.840.113549.2.7': 'sha1',
  '1.2.840.113549.2.9': 'sha256',
  '1.2.840.113549.2.10': 'sha384',
  '1.2.840.113549.2.11': 'sha512',
};

const DIGESTS: Readonly<Record<string, DigestName>> = {
  '1.3.14.3.2.26': 'sha1',
  '2.16.840.1.101.3.4.2.1': 'sha256',
  '2.16.840.1.101.3.4.2.2': 'sha384',
  '2.16.840.1.101.3.4.2.3': 'sha512',
};

const LONGEST_DIGEST = 64;

/** A file that asks for more rounds would hold up everything else for seconds; OpenSSL writes 2048, others up to 600 000. */
const MAX_ITERATIONS = 1_000_000;

/**
 * Opens a PKCS#12 file (RFC 7292): its first private key and all its certificates. Contents may be plain, or encrypted by PBES2
 * (AES, 3DES) or by the older SHA-1 with 3DES; RC2, which OpenSSL itself no longer reads, is refused with advice. A MAC
 * made with the passphrase is verified when there is one; other seals, like that of RFC 9579, are not looked at.
 * @throws Pkcs12Error
 */
export function openPkcs12(bytes: Buffer, passphrase: string): Pkcs12Content {
  try {
    return open(bytes, passphrase);
  } catch (error) {
    if (error instanceof Pkcs12Error) throw error;
    // DerError, or what OpenSSL says of parameters that make no sense.
    throw new Pkcs12Error('the file is no PKCS#12 file, or is damaged');
  }
}

function open(bytes: Buffer, passphrase: string): Pkcs12Content {
  const [, contents, mac] = childrenOf(readDer(bytes, tags.sequence));
  const authSafe = expectTag(contents, tags.sequence);
  const certificates: X509Certificate[] = [];
  let key: KeyObject | null = null;
  for (const part of childrenOf(readDer(dataOf(authSafe), tags.sequence))) {
    for (const bag of childrenOf(readDer(safeContentsOf(part, passphrase), tags.sequence))) {
      const value = childOf(childOf(bag, 1, contextTag(0)), 0);
      const kind = oidOf(childOf(bag, 0));
      if (kind === OID.certBag) certificates.push(certificateOf(value));
      else if (kind === OID.keyBag) key ??= privateKeyOf(value, null);
      else if (kind === OID.shroudedKeyBag) key ??= privateKeyOf(value, passphrase);
    }
  }
  // Only now: a wrong passphrase has shown by then, unless nothing is encrypted.
  if (mac !== undefined && !isSealedBy(passphrase, mac, dataOf(authSafe))) {
    throw new Pkcs12Error('the file is damaged, or this is not its passphrase: its MAC does not fit');
  }
  if (key === null) throw new Pkcs12Error('the file holds no private key');
  if (certificates.length === 0) throw new Pkcs12Error('the file holds no certificate');
  return { certificates, key };
}

/** RFC 7292 §4 and appendix A. True also for a seal of a kind that is not known here. */
function isSealedBy(passphrase: string, macData: Der, content: Buffer): boolean {
  const [info, salt, count] = childrenOf(expectTag(macData, tags.sequence));
  const digest = DIGESTS[oidOf(childOf(childOf(expectTag(info), 0, tags.sequence), 0))];
  if (digest === undefined) return true;
  const expected = childOf(expectTag(info), 1, tags.octetString).content;
  if (expected.length > LONGEST_DIGEST) return false;
  const iterations = count === undefined ? 1 : iterationsOf(count);
  const parts = { salt: expectTag(salt, tags.octetString).content, iterations, digest, bytes: expected.length };
  // No passphrase is two zeros to some programs and nothing at all to others.
  const passwords = passphrase === '' ? [bmpString(''), Buffer.alloc(0)] : [bmpString(passphrase)];
  return passwords.some((password) => {
    const key = pkcs12Derive('mac', { ...parts, password });
    return createHmac(digest, key).update(content).digest().equals(expected);
  });
}

/** ContentInfo of type data (RFC 5652 §4). */
function dataOf(contentInfo: Der): Buffer {
  if (oidOf(childOf(contentInfo, 0)) !== OID.data) throw new Pkcs12Error('the file is sealed with a public key');
  return childOf(childOf(contentInfo, 1, contextTag(0)), 0, tags.octetString).content;
}

function safeContentsOf(contentInfo: Der, passphrase: string): Buffer {
  if (oidOf(childOf(contentInfo, 0)) !== OID.encryptedData) return dataOf(contentInfo);
  const encryptedData = childOf(childOf(contentInfo, 1, contextTag(0)), 0, tags.sequence);
  const [, algorithm, content] = childrenOf(childOf(encryptedData, 1, tags.sequence));
  return decrypt(expectTag(algorithm, tags.sequence), expectTag(content, 0x80).content, passphrase);
}

function certificateOf(bag: Der): X509Certificate {
  const { content } = childOf(childOf(bag, 1, contextTag(0)), 0, tags.octetString);
  try {
    return new X509Certificate(content);
  } catch {
    // ERR_OSSL_…: an SDSI certificate, or a damaged one.
    throw new Pkcs12Error('the file holds a certificate that can’t be read');
  }
}

/** OpenSSL decrypts keys itself, whichever of the schemes it knows is used. */
function privateKeyOf({ whole }: Der, passphrase: string | null): KeyObject {
  const key = { key: whole, format: 'der', type: 'pkcs8' } as const;
  try {
    return createPrivateKey(passphrase === null ? key : { ...key, passphrase });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_OSSL_BAD_DECRYPT') throw wrongPassphrase();
    throw new Pkcs12Error('the private key is damaged, or encrypted with an algorithm that OpenSSL does not know');
  }
}

function decrypt(algorithm: Der, data: Buffer, passphrase: string): Buffer {
  const scheme = oidOf(childOf(algorithm, 0));
  const parameters = childOf(algorithm, 1, tags.sequence);
  const { name, key, iv } =
    scheme === OID.pbes2 ? pbes2(parameters, passphrase) : legacy(scheme, parameters, passphrase);
  const decipher = createDecipheriv(name, key, iv);
  try {
    const plain = Buffer.concat([decipher.update(data), decipher.final()]);
    readDer(plain, tags.sequence);
    return plain;
  } catch {
    // ERR_OSSL_BAD_DECRYPT: the padding is wrong. One in 256 is right by chance, and then what is inside is not.
    throw wrongPassphrase();
  }
}

interface CipherSetting {
  readonly name: string;
  readonly key: Buffer;
  readonly iv: Buffer;
}

/** RFC 8018 §6.2. */
function pbes2(parameters: Der, passphrase: string): CipherSetting {
  const [derivation, encryption] = childrenOf(parameters);
  const cipher = CIPHERS[oidOf(childOf(expectTag(encryption), 0))];
  if (cipher === undefined || oidOf(childOf(expectTag(derivation), 0)) !== OID.pbkdf2) throw unknownAlgorithm();
  const [salt, count, ...optional] = childrenOf(childOf(expectTag(derivation), 1, tags.sequence));
  const named = optional.find(({ tag }) => tag === tags.sequence);
  const prf = named === undefined ? 'sha1' : PRFS[oidOf(childOf(named, 0))];
  if (prf === undefined) throw unknownAlgorithm();
  const { content: saltBytes } = expectTag(salt, tags.octetString);
  return {
    name: cipher.name,
    key: pbkdf2Sync(passphrase, saltBytes, iterationsOf(expectTag(count)), cipher.keyBytes, prf),
    iv: childOf(expectTag(encryption), 1, tags.octetString).content,
  };
}

function legacy(scheme: string, parameters: Der, passphrase: string): CipherSetting {
  if (scheme !== OID.tripleDes) throw unknownAlgorithm();
  const salt = childOf(parameters, 0, tags.octetString).content;
  const iterations = iterationsOf(childOf(parameters, 1));
  return {
    name: 'des-ede3-cbc',
    key: pkcs12Derive('key', { password: bmpString(passphrase), salt, iterations, digest: 'sha1', bytes: 24 }),
    iv: pkcs12Derive('iv', { password: bmpString(passphrase), salt, iterations, digest: 'sha1', bytes: 8 }),
  };
}

function iterationsOf(element: Der): number {
  const iterations = smallNumberOf(expectTag(element, tags.integer));
  if (iterations < 1 || iterations > MAX_ITERATIONS)
    throw new Pkcs12Error(`the file asks for ${iterations} rounds of key derivation`);
  return iterations;
}

function wrongPassphrase(): Pkcs12Error {
  return new Pkcs12Error('this is not the passphrase of the file', 'passphrase');
}

function unknownAlgorithm(): Pkcs12Error {
  return new Pkcs12Error(
    'the file is encrypted with an outdated algorithm (RC2?): write it again with “openssl pkcs12 -export” of OpenSSL 3',
  );
}
