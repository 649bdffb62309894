import type { Clock } from '../clock.ts';
import type { AcmeCertificates } from '../control/certificates/acme/acme-certificates.ts';
import type { CertificateLog } from '../control/certificates/certificate-log.ts';
import type { CertificateStatus } from '../control/certificates/certificate-status.ts';
import { ExpiryWatch } from '../control/certificates/expiry-watch.ts';
import { FileCertificates } from '../control/certificates/file-certificates.ts';
import { Stapler } from '../control/certificates/stapler.ts';
import type { CertificatePlan } from '../control/compile-listener.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { CertificateSource } from '../exchange/certificate.ts';
import { type CertificateParts, certificateProviders } from './certificate-source.ts';

/** The certificates of every listener: where they come from, and how long they will do. */
export class GatewayCertificates {
  readonly #clock: Clock;
  readonly #log: CertificateLog;
  readonly #expiry: ExpiryWatch;
  readonly #stapler: Stapler;
  readonly #files: FileCertificates[] = [];
  readonly #acme: { readonly listener: string; readonly source: AcmeCertificates }[] = [];

  constructor({ clock, log, ask }: { readonly clock: Clock; readonly log: CertificateLog; readonly ask: HttpClient }) {
    this.#stapler = new Stapler({ ask, clock, random: Math.random, log });
    this.#clock = clock;
    this.#log = log;
    this.#expiry = new ExpiryWatch({ certificates: () => this.status(), clock, log });
  }

  /** What a listener shows in its handshakes. Rejects with a `StartError` when the local CA can't work. */
  async open(listener: string, plan: CertificatePlan, parts: CertificateParts): Promise<CertificateSource> {
    const files = new FileCertificates({
      listener,
      plan,
      providers: await certificateProviders(plan, parts),
      staples: plan.ocspStapling ? this.#stapler : null,
      clock: this.#clock,
      log: this.#log,
      changed: () => this.#expiry.look(),
    });
    this.#files.push(files);
    if (parts.acme !== null) this.#acme.push({ listener, source: parts.acme });
    return files;
  }

  /** Begins to watch files and dates. */
  start(): void {
    for (const files of this.#files) files.start();
    this.#expiry.start();
  }

  stop(): void {
    for (const files of this.#files) files.stop();
    this.#expiry.stop();
  }

  status(): readonly CertificateStatus[] {
    const obtained = this.#acme.map(({ listener, source }): CertificateStatus => {
      return { ...source.status(), listener, from: 'acme', renewal: 'automatic', ocsp: null };
    });
    return [...this.#files.flatMap((files) => files.status()), ...obtained];
  }
}
