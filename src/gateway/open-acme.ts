import type { Clock } from '../clock.ts';
import { AcmeCertificates, type AcmeObserver } from '../control/certificates/acme/acme-certificates.ts';
import { AcmeIssuer, type Proof } from '../control/certificates/acme/issuer.ts';
import type { Turns } from '../control/certificates/acme/turns.ts';
import type { AcmePlan } from '../control/compile-acme.ts';
import type { HttpClient } from '../control/http-client.ts';
import type { Ledger } from '../control/ledger.ts';
import type { Logger } from '../observe/log.ts';
import { StartError } from './start-error.ts';

export interface AcmeParts {
  readonly ledger: Ledger;
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Where certificates and account keys are kept. */
  readonly directory: string;
  readonly log: Logger;
  /** One order at a time at each authority. */
  readonly turns: Turns;
}

/** What the listener `name` has by ACME, with what is stored already. Orders nothing yet. Rejects with a `StartError`. */
export async function openAcme(name: string, plan: AcmePlan, parts: AcmeParts): Promise<AcmeCertificates> {
  const { http, clock, directory, turns, ledger, log } = parts;
  const certificates = new AcmeCertificates(plan, {
    issuer: new AcmeIssuer(plan, { http, clock, directory, turns }),
    proof: proofOf(plan, ledger),
    clock,
    random: Math.random,
    observer: observerOf(name, log),
  });
  try {
    await certificates.open();
  } catch (error) {
    throw new StartError(`Cannot read the stored certificates of ${plan.names[0]}: ${(error as Error).message}`);
  }
  return certificates;
}

function proofOf({ challenge }: AcmePlan, { httpChallenges, tlsChallenges }: Ledger): Omit<Proof, 'signal'> {
  if (challenge === 'http-01') return { challenge, prove: (_name, token, key) => httpChallenges.put(token, key) };
  return { challenge, prove: (name, _token, key) => tlsChallenges.put(name, key) };
}

function observerOf(listener: string, log: Logger): AcmeObserver {
  return {
    obtained: (certificate) => log.info({ listener, ...certificate }, 'Certificate obtained'),
    failed: (failure) => log.warn({ listener, ...failure }, 'Certificate not obtained'),
  };
}
