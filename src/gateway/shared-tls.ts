import type { Clock } from '../clock.ts';
import type { TlsConfig } from '../config/schema/tls.ts';
import { Turns } from '../control/certificates/acme/turns.ts';
import type { CertificateStatus } from '../control/certificates/certificate-status.ts';
import { ExpiryWatch } from '../control/certificates/expiry-watch.ts';
import { FileCertificates } from '../control/certificates/file-certificates.ts';
import { LocalAuthority } from '../control/certificates/local-authority.ts';
import { Stapler } from '../control/certificates/stapler.ts';
import type { Compiled } from '../control/compile.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { Ledger } from '../control/ledger.ts';
import { PolicyFiles } from '../control/tls/policy-files.ts';
import { TlsPolicies } from '../control/tls/tls-policies.ts';
import type { Logger } from '../observe/log.ts';
import { certificateProviders } from './certificate-source.ts';
import { ListenerTls } from './listener-tls.ts';
import { type AcmeParts, openAcme } from './open-acme.ts';

export interface SharedTlsParts {
  /** Where the local CA, ACME and what they make are kept. */
  readonly directory: string;
  readonly ledger: Ledger;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where the local CA's revocation list is to be had; `null` for nowhere. */
  readonly revocationListUrl: string | null;
  /** Those of all listeners that are open. */
  readonly certificates: () => readonly CertificateStatus[];
}

/** What the TLS listeners of a gateway share: the local CA, staples, the rotation of ticket keys, orders at authorities. */
export class SharedTls {
  readonly #parts: SharedTlsParts;
  readonly #localAuthority: LocalAuthority;
  readonly #expiry: ExpiryWatch;
  readonly #stapler: Stapler;
  readonly #policies: TlsPolicies;
  readonly #acme: AcmeParts;

  constructor(parts: SharedTlsParts) {
    this.#parts = parts;
    const { directory, ledger, http, clock, log, certificates, revocationListUrl } = parts;
    this.#localAuthority = new LocalAuthority({
      directory,
      now: () => clock.now(),
      trouble: (message) => log.warn(message),
      revocationListUrl,
    });
    this.#stapler = new Stapler({ ask: http, clock, random: Math.random, log });
    this.#expiry = new ExpiryWatch({ certificates, clock, log });
    this.#policies = new TlsPolicies(() => clock.monotonic(), ledger.secrets);
    this.#acme = { ledger, http, clock, directory, log, turns: new Turns() };
  }

  /** What the listener `name` needs, not started. Rejects with a `StartError` when the local CA or what is stored can't be used. */
  async open(name: string, tls: TlsConfig, compiled: Compiled): Promise<ListenerTls> {
    const { clock, log } = this.#parts;
    const plan = compiled.certificates.get(name);
    const settings = compiled.tlsSettings.get(name);
    if (plan === undefined || settings === undefined) throw new TypeError(`Cannot open TLS of "${name}": no plan`);
    const order = compiled.acme.get(name);
    const acme = order === undefined ? null : await openAcme(name, order, this.#acme);
    const certificates = new FileCertificates({
      listener: name,
      plan,
      providers: await certificateProviders(plan, {
        localAuthority: this.#localAuthority,
        acme,
        now: () => clock.now(),
      }),
      staples: plan.ocspStapling ? this.#stapler : null,
      clock,
      log,
      changed: () => this.#expiry.look(),
    });
    const policy = this.#policies.open(settings);
    const policyFiles = new PolicyFiles({ clock, log, listener: name, tls, policy });
    return new ListenerTls({ listener: name, certificates, acme, policy, policyFiles });
  }

  /** Begins to watch dates. */
  start(): void {
    this.#expiry.start();
  }

  stop(): void {
    this.#expiry.stop();
  }

  /** Other certificates are there than before. */
  changed(): void {
    this.#expiry.look();
  }

  /** That of the local CA, DER; `null` while there is none. */
  revocationList(): Buffer | null {
    return this.#localAuthority.revocationList();
  }
}
