import { createSecureContext, type SecureContext } from 'node:tls';
import type { ServerCertificate } from '../../exchange/certificate.ts';

/** Secure contexts of the certificates that one listener shows: made at the first handshake, kept as long as the certificate is. */
export class SecureContexts {
  readonly #contexts = new WeakMap<ServerCertificate, SecureContext>();

  /** Throws what OpenSSL says of a certificate or key that it can't use. */
  of(certificate: ServerCertificate): SecureContext {
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const { pairs } = certificate;
    const context = createSecureContext({
      minVersion: 'TLSv1.2',
      cert: pairs.map((pair) => pair.certificate),
      key: pairs.map((pair) => pair.key),
    });
    this.#contexts.set(certificate, context);
    return context;
  }
}
