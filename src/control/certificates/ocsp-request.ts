import { createHash, type X509Certificate } from 'node:crypto';
import type { LoadedCertificate } from './certificate-file.ts';
import { childOf, childrenOf, contextTag, type Der, DerError, expectTag, oidOf, readDer, tags } from './der-reader.ts';
import { element, octetString, oid, sequence } from './der-writer.ts';

/** A certificate as OCSP names it (RFC 6960 §4.1.1), with SHA-1, which is what every responder knows. No secret depends on it. */
export interface OcspSubject {
  readonly responder: string;
  readonly issuer: X509Certificate;
  readonly issuerNameHash: Buffer;
  readonly issuerKeyHash: Buffer;
  /** Content of the INTEGER. */
  readonly serialNumber: Buffer;
  /** Clients are told to expect a stapled response (RFC 7633). */
  readonly mustStaple: boolean;
}

export const SHA1 = '1.3.14.3.2.26';
const TLS_FEATURE = '1.3.6.1.5.5.7.1.24';
/** The TLS extension status_request. */
const STATUS_REQUEST = 5;

/** Whom to ask about a certificate, and how. A text says why that can't be: it names no responder, or its issuer is not in the chain. */
export function ocspSubjectOf({ leaf, issuer }: LoadedCertificate): OcspSubject | 'no-responder' | 'no-issuer' {
  const url = /^OCSP - URI:(https?:\/\/\S+)$/m.exec(leaf.infoAccess ?? '')?.[1];
  if (url === undefined || !URL.canParse(url)) return 'no-responder';
  if (issuer === null) return 'no-issuer';
  return unlessNotDer('no-responder', () => {
    const parts = partsOf(leaf);
    return {
      responder: url,
      issuer,
      issuerNameHash: sha1(parts.issuerName.whole),
      issuerKeyHash: keyHashOf(issuer),
      serialNumber: parts.serialNumber.content,
      mustStaple: isMustStaple(parts.extensions),
    };
  });
}

/** True for a certificate that clients are told to refuse without a stapled response. */
export function mustStaple(certificate: X509Certificate): boolean {
  return unlessNotDer(false, () => isMustStaple(partsOf(certificate).extensions));
}

/** The request for one certificate (RFC 6960 §4.1.1), without a nonce: responders may answer from what they have signed before. */
export function ocspRequest({ issuerNameHash, issuerKeyHash, serialNumber }: OcspSubject): Buffer {
  const certId = sequence(
    sequence(oid(SHA1), element(tags.null)),
    octetString(issuerNameHash),
    octetString(issuerKeyHash),
    element(tags.integer, serialNumber),
  );
  return sequence(sequence(sequence(sequence(certId))));
}

/** SHA-1 of the key itself, without its algorithm. */
export function keyHashOf(certificate: X509Certificate): Buffer {
  const { content } = childOf(partsOf(certificate).publicKey, 1, tags.bitString);
  return sha1(content.subarray(1)); // the first octet counts unused bits
}

/** DER of the subject's name. */
export function subjectNameOf(certificate: X509Certificate): Buffer {
  return partsOf(certificate).subjectName.whole;
}

interface CertificateParts {
  readonly serialNumber: Der;
  readonly issuerName: Der;
  readonly subjectName: Der;
  readonly publicKey: Der;
  readonly extensions: readonly Der[];
}

/** TBSCertificate (RFC 5280 §4.1). OpenSSL has read it already, but it reads BER too. */
function partsOf({ raw }: X509Certificate): CertificateParts {
  const fields = childrenOf(childOf(readDer(raw, tags.sequence), 0, tags.sequence));
  const from = fields[0]?.tag === contextTag(0) ? 1 : 0;
  const list = fields.find(({ tag }) => tag === contextTag(3));
  return {
    serialNumber: expectTag(fields[from], tags.integer),
    issuerName: expectTag(fields[from + 2], tags.sequence),
    subjectName: expectTag(fields[from + 4], tags.sequence),
    publicKey: expectTag(fields[from + 5], tags.sequence),
    extensions: list === undefined ? [] : childrenOf(childOf(list, 0, tags.sequence)),
  };
}

function isMustStaple(extensions: readonly Der[]): boolean {
  const extension = extensions.find((candidate) => oidOf(childOf(candidate, 0)) === TLS_FEATURE);
  if (extension === undefined) return false;
  // One that can't be read, no client can read either.
  return unlessNotDer(false, () => {
    const features = readDer(expectTag(childrenOf(extension).at(-1), tags.octetString).content, tags.sequence);
    return childrenOf(features).some(({ content }) => content.length === 1 && content[0] === STATUS_REQUEST);
  });
}

function unlessNotDer<T, U>(otherwise: U, read: () => T): T | U {
  try {
    return read();
  } catch (error) {
    if (error instanceof DerError) return otherwise;
    throw error;
  }
}

function sha1(bytes: Uint8Array): Buffer {
  return createHash('sha1').update(bytes).digest();
}
