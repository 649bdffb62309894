import 'reflect-metadata';
import { createHash, KeyObject, randomBytes, webcrypto } from 'node:crypto';
import { Extension, SubjectAlternativeNameExtension, X509CertificateGenerator } from '@peculiar/x509';
import type { KeyPair } from '../../../exchange/certificate.ts';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
/** id-pe-acmeIdentifier, RFC 8737 §6.1. */
const ACME_IDENTIFIER = '1.3.6.1.5.5.7.1.31';
/** DER: an octet string of 32 octets. */
const OCTET_STRING_32 = [0x04, 0x20];
const DAY_MS = 86_400_000;

/**
 * The self-signed certificate that answers a tls-alpn-01 challenge (RFC 8737 §3): `name` as its one alternative name, and the digest of
 * the key authorization in a critical extension, which no client but an authority will let pass.
 */
export async function challengeCertificate(name: string, keyAuthorization: string): Promise<KeyPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const digest = createHash('sha256').update(keyAuthorization).digest();
  const certificate = await X509CertificateGenerator.createSelfSigned({
    // Positive, as RFC 5280 §4.1.2.2 wants it.
    serialNumber: `40${randomBytes(15).toString('hex')}`,
    name: 'CN=ACME challenge',
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new SubjectAlternativeNameExtension([{ type: 'dns', value: name }]),
      new Extension(ACME_IDENTIFIER, true, Buffer.from([...OCTET_STRING_32, ...digest])),
    ],
  });
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
