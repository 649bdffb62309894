import { createHash, createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
// `toLegacyObject` leaves `node:tls` broken for the whole process where it has not been loaded before (Node 26.10): the two parts of it
// need each other, and only this order works.
import 'node:tls';
import type { KeyPair } from '../../exchange/certificate.ts';
import { readNamedFile, readNamedFileLater } from '../named-file.ts';
import { openPkcs12, Pkcs12Error } from './pkcs12.ts';
import { serverNamesOf } from './server-names.ts';

/** Where a certificate and its private key are: two PEM files, or one PKCS#12 file. */
export type CertificateFile =
  | { readonly certificate: string; readonly key: string; readonly passphrase: string | null }
  | { readonly pkcs12: string; readonly passphrase: string | null };

/** What the files hold, ready to be shown. */
export interface LoadedCertificate {
  /** Leaf first, each followed by its issuer. */
  readonly pair: KeyPair;
  readonly leaf: X509Certificate;
  /** From the chain; `null` when it ends with the leaf. */
  readonly issuer: X509Certificate | null;
  /** Lower case; empty when it is for no name that a client could ask for. */
  readonly names: readonly string[];
  readonly keyType: KeyType;
  /** Of the files that it came from. */
  readonly digest: string;
}

/** Kinds of keys that a client chooses between. */
export type KeyType = 'ecdsa' | 'rsa' | 'eddsa';

/** What is wrong, and with which of the files. */
export interface FileProblem {
  readonly about: 'certificate' | 'key' | 'pkcs12' | 'passphrase';
  readonly unreadable: boolean;
  readonly message: string;
}

export type FileResult =
  | { readonly ok: true; readonly certificate: LoadedCertificate }
  /** `names` are those of the certificate, as far as it could be read. */
  | { readonly ok: false; readonly names: readonly string[]; readonly problems: readonly FileProblem[] };

/** The bytes of the files, or why they can't be read (`ENOENT`). */
export interface FileContent {
  readonly parts: readonly (Buffer | { readonly code: string })[];
  /** Differs when anything of it does. */
  readonly digest: string;
}

/** The files' paths, in the order of `FileContent.parts`. */
export function pathsOf(file: CertificateFile): readonly string[] {
  return 'pkcs12' in file ? [file.pkcs12] : [file.certificate, file.key];
}

/** Reads at once, for the start. Never throws. */
export function readContent(file: CertificateFile): FileContent {
  return contentOf(
    pathsOf(file).map((path) => {
      try {
        return readNamedFile(path);
      } catch (error) {
        return { code: codeOf(error) };
      }
    }),
  );
}

/** Reads without holding up what is running. Never rejects. */
export async function readContentLater(file: CertificateFile): Promise<FileContent> {
  const parts = pathsOf(file).map((path) =>
    readNamedFileLater(path).catch((error: unknown) => ({ code: codeOf(error) })),
  );
  return contentOf(await Promise.all(parts));
}

/**
 * Certificate, key and chain out of what was read. The chain may be in any order: the leaf is the certificate whose key this
 * is, and is followed by its issuers. Never throws.
 */
export function loadCertificate(file: CertificateFile, { parts, digest }: FileContent): FileResult {
  const problems: FileProblem[] = [];
  const [first, second] = parts.map((part, index) => {
    if (!('code' in part)) return part;
    const about = 'pkcs12' in file ? 'pkcs12' : index === 0 ? 'certificate' : 'key';
    problems.push({ about, unreadable: true, message: `cannot read “${pathsOf(file)[index]}”: ${part.code}` });
    return null;
  });
  if ('pkcs12' in file) return first == null ? broken(problems) : loadPkcs12(first, digest, file.passphrase);
  const certificates = first == null ? [] : pemCertificatesOf(first.toString('latin1'));
  if (first != null && certificates.length === 0) {
    problems.push(problem('certificate', 'the file holds no PEM certificate'));
  }
  const key = second == null ? null : privateKeyOf(second, file.passphrase, problems);
  if (problems.length > 0 || key === null) return broken(problems, certificates);
  return assemble({ certificates, key, digest }, 'key');
}

function loadPkcs12(bytes: Buffer, digest: string, passphrase: string | null): FileResult {
  try {
    return assemble({ ...openPkcs12(bytes, passphrase ?? ''), digest }, 'pkcs12');
  } catch (error) {
    if (!(error instanceof Pkcs12Error)) throw error;
    return broken([problem(error.about, error.message)]);
  }
}

interface Material {
  readonly certificates: readonly X509Certificate[];
  readonly key: KeyObject;
  readonly digest: string;
}

function assemble({ certificates, key, digest }: Material, about: 'key' | 'pkcs12'): FileResult {
  const leaf = certificates.find((certificate) => certificate.checkPrivateKey(key));
  if (leaf === undefined) return broken([problem(about, 'the key is not that of the certificate')], certificates);
  const keyType = keyTypeOf(key);
  if (keyType === null) {
    return broken([problem(about, `a key of type ${key.asymmetricKeyType} can’t be used for TLS`)], certificates);
  }
  const chain = chainOf(leaf, certificates);
  const fault = chain.map(faultOf).find((message) => message !== null) ?? null;
  if (fault !== null) return broken([problem(about === 'key' ? 'certificate' : about, fault)], certificates);
  return {
    ok: true,
    certificate: {
      pair: {
        certificate: chain.map(String).join(''),
        key: key.export({ type: 'pkcs8', format: 'pem' }).toString(),
      },
      leaf,
      issuer: chain[1] !== undefined && leaf.checkIssued(chain[1]) ? chain[1] : null,
      names: serverNamesOf(leaf),
      keyType,
      digest,
    },
  };
}

/** 112 bits of security: the floor of browsers (CA/Browser Forum baseline requirements §6.1.5), and OpenSSL uses no chain with less in it. */
const MIN_BITS = { rsa: 2048, curve: 224 };

function keyTypeOf(key: KeyObject): KeyType | null {
  if (key.asymmetricKeyType === 'ec') return 'ecdsa';
  if (key.asymmetricKeyType === 'rsa') return 'rsa';
  return key.asymmetricKeyType === 'ed25519' || key.asymmetricKeyType === 'ed448' ? 'eddsa' : null;
}

/** What OpenSSL has read without a word, and neither it nor clients could use later; `null` when there is nothing. */
function faultOf(certificate: X509Certificate): string | null {
  const whose = `“${certificate.subject?.replaceAll('\n', ', ') ?? 'a certificate without a name'}”`;
  // “Bad time value”; the same as a `Date` is whatever lay in memory.
  if ([certificate.validFrom, certificate.validTo].some((text) => Number.isNaN(Date.parse(text))))
    return `the dates of ${whose} can’t be read`;
  const { bits, asn1Curve } = certificate.toLegacyObject();
  const least = asn1Curve === undefined ? MIN_BITS.rsa : MIN_BITS.curve;
  // Of Ed25519 there is one size, and it is not told.
  if (bits === undefined || bits >= least) return null;
  return `the key of ${whose} has ${bits} bits: clients accept no less than ${least}`;
}

/** TLS 1.2 clients rely on the order (RFC 5246 §7.4.2). What is no issuer of the leaf follows as it came: it may be a cross-signed one. */
function chainOf(leaf: X509Certificate, certificates: readonly X509Certificate[]): X509Certificate[] {
  const rest = certificates.filter((certificate) => !certificate.raw.equals(leaf.raw));
  const chain = [leaf];
  for (let current: X509Certificate | undefined = leaf; current !== undefined; ) {
    const issued: X509Certificate = current;
    const index = rest.findIndex((candidate) => issued.checkIssued(candidate));
    [current] = index === -1 ? [] : rest.splice(index, 1);
    if (current !== undefined) chain.push(current);
  }
  return [...chain, ...rest];
}

/** Every certificate of a PEM text; empty when one of them is broken. */
function pemCertificatesOf(text: string): readonly X509Certificate[] {
  const blocks = text.match(/-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]+-----END [A-Z0-9 ]+-----/g) ?? [];
  try {
    return blocks.map((block) => new X509Certificate(block));
  } catch {
    // ERR_OSSL_…: cut short, or no certificate inside.
    return [];
  }
}

function privateKeyOf(pem: Buffer, passphrase: string | null, problems: FileProblem[]): KeyObject | null {
  try {
    return createPrivateKey(passphrase === null ? pem : { key: pem, passphrase });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ERR_OSSL_BAD_DECRYPT') problems.push(problem('passphrase', 'this is not the passphrase of the key'));
    else if (pem.includes('ENCRYPTED')) problems.push(problem('key', 'the private key needs a passphrase'));
    else problems.push(problem('key', 'the file holds no PEM private key'));
    return null;
  }
}

function broken(problems: readonly FileProblem[], certificates: readonly X509Certificate[] = []): FileResult {
  // Which is the leaf only the key could tell for sure; by convention it comes first.
  const leaf = certificates.find((certificate) => !certificate.ca) ?? certificates[0];
  return { ok: false, names: leaf === undefined ? [] : serverNamesOf(leaf), problems };
}

function problem(about: FileProblem['about'], message: string): FileProblem {
  return { about, unreadable: false, message };
}

function contentOf(parts: FileContent['parts']): FileContent {
  const hash = createHash('sha256');
  for (const part of parts) {
    if ('code' in part) hash.update(part.code);
    else hash.update(`${part.length}:`).update(part);
  }
  return { parts, digest: hash.digest('base64url') };
}

function codeOf(error: unknown): string {
  return (error as NodeJS.ErrnoException).code ?? 'unreadable';
}
