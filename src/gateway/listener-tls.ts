import type { AcmeCertificates } from '../control/certificates/acme/acme-certificates.ts';
import type { CertificateStatus } from '../control/certificates/certificate-status.ts';
import type { FileCertificates } from '../control/certificates/file-certificates.ts';
import type { PolicyFiles } from '../control/tls/policy-files.ts';
import type { CertificateSource, ServerCertificate } from '../exchange/certificate.ts';
import type { TlsPolicy, TlsPolicySource } from '../exchange/tls-policy.ts';

export interface ListenerTlsParts {
  readonly listener: string;
  /** From files, and from whom is asked for names that no file has. */
  readonly certificates: FileCertificates;
  /** `null` for a listener that gets none by ACME. */
  readonly acme: AcmeCertificates | null;
  readonly policy: TlsPolicySource;
  readonly policyFiles: PolicyFiles;
}

/** The certificates and the policy of one listener, and what looks after them. */
export class ListenerTls {
  readonly certificates: CertificateSource;
  readonly policy: TlsPolicySource;
  readonly #parts: ListenerTlsParts;

  constructor(parts: ListenerTlsParts) {
    this.#parts = parts;
    this.certificates = parts.certificates;
    this.policy = parts.policy;
  }

  /** Begins to watch files and dates, to order and to renew: authorities can reach the listeners now. */
  start(): void {
    this.#parts.certificates.start();
    this.#parts.policyFiles.start();
    this.#parts.acme?.start();
  }

  /** Orders nothing new. */
  stopOrders(): void {
    this.#parts.acme?.stop();
  }

  /** What was loaded stays as it is. */
  stop(): void {
    this.#parts.certificates.stop();
    this.#parts.policyFiles.stop();
    this.#parts.acme?.stop();
  }

  status(): readonly CertificateStatus[] {
    const { listener, certificates, acme } = this.#parts;
    const files = certificates.status();
    if (acme === null) return files;
    return [...files, { ...acme.status(), listener, from: 'acme', renewal: 'automatic', ocsp: null }];
  }
}

/** What an open listener shows and agrees on, which a reload replaces while its connections stay. */
export class ReplaceableTls implements CertificateSource, TlsPolicySource {
  #tls: ListenerTls;

  constructor(tls: ListenerTls) {
    this.#tls = tls;
  }

  /** For handshakes from now on. */
  replace(tls: ListenerTls): void {
    this.#tls = tls;
  }

  get hasSeveralKeys(): boolean {
    return this.#tls.certificates.hasSeveralKeys === true;
  }

  certificateFor(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate | null> {
    return this.#tls.certificates.certificateFor(serverName);
  }

  current(): TlsPolicy {
    return this.#tls.policy.current();
  }
}
