import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { Pkcs10CertificateRequestGenerator, SubjectAlternativeNameExtension } from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/** A certificate signing request (RFC 2986) and the key that it is for. */
export interface SigningRequest {
  /** DER, base64url: as an order is finalised (RFC 8555 §7.4). */
  readonly csr: string;
  /** PEM, PKCS#8; a new ECDSA P-256 key each time. */
  readonly key: string;
}

/** A request for a certificate of all `names`. Without a subject: clients look at the alternative names alone (RFC 9525 §6.3). */
export async function signingRequest(names: readonly string[]): Promise<SigningRequest> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    keys,
    signingAlgorithm: ALGORITHM,
    extensions: [new SubjectAlternativeNameExtension(names.map((value) => ({ type: 'dns', value })))],
  });
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }) as string;
  return { csr: Buffer.from(request.rawData).toString('base64url'), key };
}
