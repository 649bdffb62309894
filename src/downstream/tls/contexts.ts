import { constants } from 'node:crypto';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import type { ServerCertificate } from '../../exchange/certificate.ts';
import type { TlsPolicy, TlsPolicySource } from '../../exchange/tls-policy.ts';
import { profileOptions } from './profile.ts';
import { useTicketKeys } from './tickets.ts';

/** Secure contexts of the certificates that one listener shows: made at the first handshake, kept as long as certificate and policy are. */
export class SecureContexts {
  readonly #policies: TlsPolicySource;
  #policy: TlsPolicy;
  #contexts = new WeakMap<ServerCertificate, SecureContext>();
  #withoutCertificate: SecureContext | null = null;

  constructor(policies: TlsPolicySource) {
    this.#policies = policies;
    this.#policy = policies.current();
  }

  /** Throws what OpenSSL says of a certificate or key that it can't use. */
  of(certificate: ServerCertificate): SecureContext {
    this.#keepUp();
    const known = this.#contexts.get(certificate);
    if (known !== undefined) return known;
    const { pairs } = certificate;
    const context = contextFor(this.#policy, {
      cert: pairs.map((pair) => pair.certificate),
      key: pairs.map((pair) => pair.key),
    });
    this.#contexts.set(certificate, context);
    return context;
  }

  /** All of the policy and no certificate: nobody finishes a handshake with it. */
  withoutCertificate(): SecureContext {
    this.#keepUp();
    this.#withoutCertificate ??= contextFor(this.#policy, {});
    return this.#withoutCertificate;
  }

  #keepUp(): void {
    const policy = this.#policies.current();
    if (policy === this.#policy) return;
    this.#policy = policy;
    this.#contexts = new WeakMap();
    this.#withoutCertificate = null;
  }
}

function contextFor(policy: TlsPolicy, certificate: SecureContextOptions): SecureContext {
  const { clientCertificates, tickets } = policy;
  const profile = profileOptions(policy);
  const context = createSecureContext({
    ...profile,
    ...certificate,
    // A client that renegotiates makes us work ten times as hard as it does; TLS 1.3 has done away with it (RFC 8446 §4.1.2).
    secureOptions:
      profile.secureOptions | constants.SSL_OP_NO_RENEGOTIATION | (tickets === null ? constants.SSL_OP_NO_TICKET : 0),
    sessionIdContext: policy.scope,
    sessionTimeout: policy.sessionSeconds,
    ...(clientCertificates === null ? {} : { ca: clientCertificates.ca, crl: [...clientCertificates.crls] }),
  });
  if (tickets !== null) useTicketKeys(context, tickets);
  return context;
}
