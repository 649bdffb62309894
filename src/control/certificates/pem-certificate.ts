import { X509Certificate } from 'node:crypto';

/** True when `pem` holds a certificate; of several the first is looked at. Of anything else OpenSSL makes an empty list, without a word. */
export function isCertificate(pem: string): boolean {
  try {
    new X509Certificate(pem);
    return true;
  } catch {
    // ERR_OSSL_…: not a certificate.
    return false;
  }
}
