import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { KeyPair } from '../../exchange/certificate.ts';
import { childOf, childrenOf, contextTag, type Der, expectTag, oidOf, readDer, tags } from './der-reader.ts';

/** An authority that is ready to sign. */
export interface Issuer {
  readonly pair: KeyPair;
  readonly certificate: X509Certificate;
  readonly key: KeyObject;
  /** Its subject, DER, octet by octet as in its certificate: that is what leaves name as their issuer (RFC 5280 §4.1.2.4). */
  readonly subject: Uint8Array;
  /** Its subject key identifier; `null` when its certificate has none. */
  readonly keyId: Uint8Array | null;
  /** Milliseconds since the epoch. */
  readonly notAfterMs: number;
}

/** @throws Error that says what is wrong with the certificate, the key, or both together. */
export function issuerOf(pair: KeyPair): Issuer {
  const certificate = new X509Certificate(pair.certificate);
  const key = createPrivateKey(pair.key);
  if (!certificate.ca) throw new Error('the certificate is not one of an authority');
  if (!certificate.checkPrivateKey(key)) throw new Error('the key is not that of the certificate');
  if (key.asymmetricKeyType !== 'ec' && key.asymmetricKeyType !== 'rsa') {
    throw new Error(`a key of type ${key.asymmetricKeyType} can't sign here: EC or RSA`);
  }
  return { pair, certificate, key, notAfterMs: certificate.validToDate.getTime(), ...identityOf(certificate.raw) };
}

const SUBJECT_KEY_ID = '2.5.29.14';

/** Subject and subject key identifier of a certificate (RFC 5280 §4.1): Node shows neither as it stands there. */
function identityOf(certificate: Buffer): Pick<Issuer, 'subject' | 'keyId'> {
  const fields = childrenOf(childOf(readDer(certificate), 0, tags.sequence));
  // version?, serial number, signature algorithm, issuer, validity, subject
  const subject = expectTag(fields[fields[0]?.tag === contextTag(0) ? 5 : 4], tags.sequence);
  const extensions = fields.find(({ tag }) => tag === contextTag(3));
  return { subject: subject.whole, keyId: extensions === undefined ? null : keyIdOf(childOf(extensions, 0)) };
}

function keyIdOf(extensions: Der): Uint8Array | null {
  for (const extension of childrenOf(extensions)) {
    if (oidOf(childOf(extension, 0, tags.oid)) !== SUBJECT_KEY_ID) continue;
    // After `critical`, if that is there; an octet string in an octet string.
    const value = expectTag(childrenOf(extension).at(-1), tags.octetString);
    return readDer(value.content, tags.octetString).content;
  }
  return null;
}
