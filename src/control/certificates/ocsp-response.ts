import { verify, X509Certificate } from 'node:crypto';
import {
  childOf,
  childrenOf,
  contextTag,
  type Der,
  DerError,
  expectTag,
  oidOf,
  readDer,
  smallNumberOf,
  tags,
} from './der-reader.ts';
import { keyHashOf, type OcspSubject, SHA1, subjectNameOf } from './ocsp-request.ts';

/** Why a response is not stapled. */
export type OcspRefusal =
  | 'malformed'
  /** The responder says that it can't answer (RFC 6960 §4.2.1). */
  | 'responder-error'
  | 'other-certificate'
  | 'revoked'
  | 'unknown-certificate'
  /** Not by the issuer, nor by somebody whom it has authorised. */
  | 'wrong-signature'
  | 'not-current';

export type OcspVerdict =
  /** Good until then, in epoch milliseconds. */
  { readonly ok: true; readonly untilMs: number } | { readonly ok: false; readonly why: OcspRefusal };

const BASIC_RESPONSE = '1.3.6.1.5.5.7.48.1.1';
const OCSP_SIGNING = '1.3.6.1.5.5.7.3.9';
/** Of the clocks of responders. */
const SKEW_MS = 300_000;
/** Of a response that does not say itself how long it will do (RFC 6960 §4.2.2.1). */
const UNDATED_MS = 3_600_000;

/** SHA-1 is left out: nobody may sign with it any more. `null`: the algorithm says it itself. */
const DIGESTS: Readonly<Record<string, string | null>> = {
  '1.2.840.113549.1.1.11': 'sha256',
  '1.2.840.113549.1.1.12': 'sha384',
  '1.2.840.113549.1.1.13': 'sha512',
  '1.2.840.10045.4.3.2': 'sha256',
  '1.2.840.10045.4.3.3': 'sha384',
  '1.2.840.10045.4.3.4': 'sha512',
  '1.3.101.112': null,
};

/**
 * Judges an OCSP response (RFC 6960 §3.2): it is about this certificate, says "good", is current, and is signed by the
 * certificate's issuer or by somebody whom the issuer authorised with id-kp-OCSPSigning. Never throws, whatever the bytes.
 */
export function judgeResponse(bytes: Uint8Array, subject: OcspSubject, nowMs: number): OcspVerdict {
  try {
    return judge(Buffer.from(bytes), subject, nowMs);
  } catch (error) {
    if (error instanceof DerError) return refused('malformed');
    throw error;
  }
}

function judge(bytes: Buffer, subject: OcspSubject, nowMs: number): OcspVerdict {
  const [status, responseBytes] = childrenOf(readDer(bytes, tags.sequence));
  if (smallNumberOf(expectTag(status, tags.enumerated)) !== 0) return refused('responder-error');
  const [type, response] = childrenOf(childOf(expectTag(responseBytes, contextTag(0)), 0, tags.sequence));
  if (oidOf(expectTag(type)) !== BASIC_RESPONSE) return refused('malformed');
  const basic = readDer(expectTag(response, tags.octetString).content, tags.sequence);
  const data = responseDataOf(childOf(basic, 0, tags.sequence));
  const single = data.responses.find((candidate) => isAbout(candidate, subject));
  if (single === undefined) return refused('other-certificate');
  if (!isSigned(basic, { data, subject, nowMs })) return refused('wrong-signature');
  return judgeSingle(single, nowMs);
}

function judgeSingle(single: Der, nowMs: number): OcspVerdict {
  const [, status, thisUpdate, next] = childrenOf(single);
  if (status?.tag === contextTag(1)) return refused('revoked');
  if (status?.tag !== 0x80) return refused('unknown-certificate');
  const untilMs = next?.tag === contextTag(0) ? timeOf(childOf(next, 0)) : nowMs + UNDATED_MS;
  if (timeOf(expectTag(thisUpdate)) > nowMs + SKEW_MS || untilMs <= nowMs) return refused('not-current');
  return { ok: true, untilMs };
}

interface ResponseData {
  readonly whole: Buffer;
  readonly responderId: Der;
  readonly responses: readonly Der[];
}

function responseDataOf(data: Der): ResponseData {
  const fields = childrenOf(data);
  const from = fields[0]?.tag === contextTag(0) ? 1 : 0;
  return {
    whole: data.whole,
    responderId: expectTag(fields[from]),
    responses: childrenOf(expectTag(fields[from + 2], tags.sequence)),
  };
}

function isAbout(single: Der, subject: OcspSubject): boolean {
  const [algorithm, nameHash, keyHash, serial] = childrenOf(childOf(single, 0, tags.sequence));
  return (
    oidOf(childOf(expectTag(algorithm, tags.sequence), 0)) === SHA1 &&
    expectTag(nameHash, tags.octetString).content.equals(subject.issuerNameHash) &&
    expectTag(keyHash, tags.octetString).content.equals(subject.issuerKeyHash) &&
    expectTag(serial, tags.integer).content.equals(subject.serialNumber)
  );
}

function isSigned(
  basic: Der,
  { data, subject, nowMs }: { data: ResponseData; subject: OcspSubject; nowMs: number },
): boolean {
  const [, algorithm, signature, certificates] = childrenOf(basic);
  const digest = DIGESTS[oidOf(childOf(expectTag(algorithm, tags.sequence), 0))];
  const { content } = expectTag(signature, tags.bitString);
  if (digest === undefined || content[0] !== 0) return false;
  const delegates = certificates === undefined ? [] : delegatesIn(certificates, subject.issuer, nowMs);
  return [subject.issuer, ...delegates].some(
    (signer) =>
      isResponder(data.responderId, signer) && verifies(signer, { digest, data, signature: content.subarray(1) }),
  );
}

function verifies(
  { publicKey }: X509Certificate,
  { digest, data, signature }: { digest: string | null; data: ResponseData; signature: Buffer },
): boolean {
  try {
    return verify(digest, data.whole, publicKey, signature);
  } catch {
    // ERR_OSSL_…: a key that does not go with the algorithm.
    return false;
  }
}

/** By name or by the hash of its key. */
function isResponder(responderId: Der, certificate: X509Certificate): boolean {
  if (responderId.tag === contextTag(1)) return childOf(responderId, 0).whole.equals(subjectNameOf(certificate));
  if (responderId.tag !== contextTag(2)) return false;
  return childOf(responderId, 0, tags.octetString).content.equals(keyHashOf(certificate));
}

/** Those that the issuer itself has authorised (RFC 6960 §4.2.2.2). A few at most: each costs a signature check. */
function delegatesIn(certificates: Der, issuer: X509Certificate, nowMs: number): readonly X509Certificate[] {
  return childrenOf(childOf(certificates, 0, tags.sequence))
    .slice(0, 4)
    .flatMap(({ whole }) => {
      const certificate = parsed(whole);
      const authorised =
        certificate !== null &&
        certificate.keyUsage?.includes(OCSP_SIGNING) === true &&
        certificate.validFromDate.getTime() <= nowMs + SKEW_MS &&
        certificate.validToDate.getTime() > nowMs &&
        certificate.checkIssued(issuer) &&
        certificate.verify(issuer.publicKey);
      return authorised ? [certificate] : [];
    });
}

function parsed(bytes: Buffer): X509Certificate | null {
  try {
    return new X509Certificate(bytes);
  } catch {
    // ERR_OSSL_…: no certificate.
    return null;
  }
}

/** GeneralizedTime as RFC 5280 §4.1.2.5.2 restricts it, in epoch milliseconds. */
function timeOf({ tag, content }: Der): number {
  const parts = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(content.toString('latin1'));
  if (tag !== 0x18 || parts === null) throw new DerError('not a time');
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts.slice(1).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute, second);
}

function refused(why: OcspRefusal): OcspVerdict {
  return { ok: false, why };
}
