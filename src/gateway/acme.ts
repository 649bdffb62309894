import type { Clock } from '../clock.ts';
import { AcmeCertificates, type AcmeObserver } from '../control/certificates/acme/acme-certificates.ts';
import { AcmeIssuer, type Proof } from '../control/certificates/acme/issuer.ts';
import { Turns } from '../control/certificates/acme/turns.ts';
import type { AcmePlan } from '../control/compile-acme.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { Ledger } from '../control/ledger.ts';
import type { TlsChallenges } from '../exchange/certificate.ts';
import type { Logger } from '../observe/log.ts';
import { StartError } from './start-error.ts';

export interface AcmeOptions {
  readonly plans: ReadonlyMap<string, AcmePlan>;
  readonly ledger: Ledger;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Where certificates and account keys are kept. */
  readonly directory: string;
  readonly log: Logger;
}

/** The certificates that listeners get by ACME. */
export class Acme {
  readonly #options: AcmeOptions;
  readonly #turns = new Turns();
  readonly #opened: AcmeCertificates[] = [];

  constructor(options: AcmeOptions) {
    this.#options = options;
  }

  /** For every listener with TLS: of several on one port and different addresses, the authority picks one. `null` when nobody asks. */
  get tlsChallenges(): TlsChallenges | null {
    const { plans, ledger } = this.#options;
    return [...plans.values()].some(({ challenge }) => challenge === 'tls-alpn-01') ? ledger.tlsChallenges : null;
  }

  /** Of the listener `name`, what is stored already; `null` when it gets none this way. Rejects with a `StartError`. */
  async open(name: string): Promise<AcmeCertificates | null> {
    const plan = this.#options.plans.get(name);
    if (plan === undefined) return null;
    const { http, clock, directory } = this.#options;
    const certificates = new AcmeCertificates(plan, {
      issuer: new AcmeIssuer(plan, { http, clock, directory, turns: this.#turns }),
      proof: this.#proof(plan),
      clock,
      random: Math.random,
      observer: this.#observer(name),
    });
    try {
      await certificates.open();
    } catch (error) {
      throw new StartError(`Cannot read the stored certificates of ${plan.names[0]}: ${(error as Error).message}`);
    }
    this.#opened.push(certificates);
    return certificates;
  }

  /** Begins to order and renew: authorities can reach the listeners now. */
  start(): void {
    for (const certificates of this.#opened) certificates.start();
  }

  stop(): void {
    for (const certificates of this.#opened) certificates.stop();
  }

  #proof({ challenge }: AcmePlan): Omit<Proof, 'signal'> {
    const { httpChallenges, tlsChallenges } = this.#options.ledger;
    if (challenge === 'http-01') return { challenge, prove: (_name, token, key) => httpChallenges.put(token, key) };
    return { challenge, prove: (name, _token, key) => tlsChallenges.put(name, key) };
  }

  #observer(listener: string): AcmeObserver {
    const { log } = this.#options;
    return {
      obtained: (certificate) => log.info({ listener, ...certificate }, 'Certificate obtained'),
      failed: (failure) => log.warn({ listener, ...failure }, 'Certificate not obtained'),
    };
  }
}
