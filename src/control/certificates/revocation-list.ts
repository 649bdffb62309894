import 'reflect-metadata';
import { X509Crl } from '@peculiar/x509';

/** Is `pem` a certificate revocation list (RFC 5280 §5) that can be read? Whose it is, and whether it is current, is for the handshake to say. */
export function isRevocationList(pem: string): boolean {
  try {
    new X509Crl(pem);
    return true;
  } catch {
    // `TypeError` or an ASN.1 error of the parser: something else.
    return false;
  }
}
