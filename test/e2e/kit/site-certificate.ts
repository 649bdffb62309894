import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

export interface SiteCertificate {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/**
 * Files with a certificate for `localhost` as public authorities make them, which the local CA's is not: it says where its
 * revocation list is. 90 days, ECDSA P-256.
 */
export async function siteCertificate(directory: string): Promise<SiteCertificate> {
  x509.cryptoProvider.set(webcrypto);
  const authorityKeys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 89 * DAY_MS) };
  const authority = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '5f1d2a3b4c5d6e7f8091',
    name: 'CN=Public Test CA, O=Test',
    ...validity,
    signingAlgorithm: ALGORITHM,
    keys: authorityKeys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const leaf = await x509.X509CertificateGenerator.create({
    serialNumber: '6a0b1c2d3e4f50617283',
    subject: 'CN=localhost',
    issuer: authority.subject,
    ...validity,
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey: authorityKeys.privateKey,
    extensions: [
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }]),
      new x509.CRLDistributionPointsExtension(['http://crl.localhost/ca.crl']),
    ],
  });
  const files = {
    certificate: join(directory, 'site.pem'),
    key: join(directory, 'site-key.pem'),
    authority: join(directory, 'site-ca.pem'),
  };
  writeFileSync(files.authority, `${authority.toString('pem')}\n`);
  writeFileSync(files.certificate, `${leaf.toString('pem')}\n${authority.toString('pem')}\n`);
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  const pem = `-----BEGIN PRIVATE KEY-----\n${key.match(/.{1,64}/g)?.join('\n')}\n-----END PRIVATE KEY-----\n`;
  writeFileSync(files.key, pem, { mode: 0o600 });
  return files;
}
