import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import type { KeyPair } from '../../exchange/certificate.ts';

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

const SUBJECT_KEY_ID = Buffer.from([0x55, 0x1d, 0x0e]); // 2.5.29.14
const VERSION = 0xa0;
const EXTENSIONS = 0xa3;

/** Subject and subject key identifier of a certificate (RFC 5280 §4.1): Node shows neither as it stands there. */
function identityOf(der: Uint8Array): Pick<Issuer, 'subject' | 'keyId'> {
  const [tbs] = elementsOf(contentOf(der));
  const fields = elementsOf(contentOf(tbs as Uint8Array));
  // version?, serial number, signature algorithm, issuer, validity, subject
  const subject = fields[fields[0]?.[0] === VERSION ? 5 : 4];
  if (subject === undefined) throw new Error('the certificate has no subject');
  const extensions = fields.find((field) => field[0] === EXTENSIONS);
  return { subject, keyId: extensions === undefined ? null : keyIdOf(contentOf(contentOf(extensions))) };
}

function keyIdOf(extensions: Uint8Array): Uint8Array | null {
  for (const extension of elementsOf(extensions)) {
    const [id, ...rest] = elementsOf(contentOf(extension));
    if (id === undefined || !SUBJECT_KEY_ID.equals(contentOf(id))) continue;
    const value = rest.at(-1); // after `critical`, if that is there; an octet string in an octet string
    return value === undefined ? null : contentOf(contentOf(value));
  }
  return null;
}

/** The elements that stand one after the other in `der`, which OpenSSL has accepted as a certificate: lengths are right. */
function elementsOf(der: Uint8Array): Uint8Array[] {
  const elements: Uint8Array[] = [];
  for (let at = 0; at < der.length; ) {
    const { start, length } = extentOf(der.subarray(at));
    elements.push(der.subarray(at, at + start + length));
    at += start + length;
  }
  return elements;
}

function contentOf(element: Uint8Array): Uint8Array {
  const { start, length } = extentOf(element);
  return element.subarray(start, start + length);
}

function extentOf(element: Uint8Array): { start: number; length: number } {
  const first = element[1] ?? 0;
  if (first < 0x80) return { start: 2, length: first };
  const count = first & 0x7f;
  return { start: 2 + count, length: Buffer.from(element).readUIntBE(2, count) };
}
