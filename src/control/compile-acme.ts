import type { Complaint } from '../config/config-error.ts';
import type { AcmeConfig } from '../config/schema/acme.ts';
import type { Config } from '../config/schema/config.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { IssuerOptions } from './certificates/acme/issuer.ts';
import type { ChallengeKind } from './certificates/acme/order.ts';
import { isCertificate } from './certificates/pem-certificate.ts';
import type { Complaints } from './complaints.ts';
import { readNamedFile } from './named-file.ts';

const LETS_ENCRYPT = 'https://acme-v02.api.letsencrypt.org/directory';
const LETS_ENCRYPT_STAGING = 'https://acme-staging-v02.api.letsencrypt.org/directory';

/** A certificate that a listener gets from an ACME authority. */
export interface AcmePlan extends IssuerOptions {
  readonly names: readonly string[];
  readonly challenge: ChallengeKind;
}

/** By listener, of those that have one. */
export function compileAcme(config: Config, complaints: Complaints): ReadonlyMap<string, AcmePlan> {
  const plans = new Map<string, AcmePlan>();
  for (const [name, { tls }] of Object.entries(config.listeners)) {
    const plan = tls?.acme === undefined ? null : planOf(name, tls.acme, complaints);
    if (plan !== null) plans.set(name, plan);
  }
  return plans;
}

/** Reads the `ca` file; `null` after a complaint. */
function planOf(listener: string, config: AcmeConfig, complaints: Complaints): AcmePlan | null {
  const wildcard = config.names.findIndex((name) => name.startsWith('*'));
  if (wildcard !== -1) {
    const message = 'a wildcard would need the challenge dns-01: list the names instead';
    complaints.add(['listeners', listener, 'tls', 'acme', 'names', wildcard], { message });
  }
  const ca = config.ca === undefined ? null : readCa(config.ca);
  if (ca !== null && 'problem' in ca) {
    complaints.add(['listeners', listener, 'tls', 'acme', 'ca'], ca.problem);
    return null;
  }
  return {
    names: [...new Set(config.names)],
    challenge: config.challenge,
    directoryUrl: config.directory ?? (config.staging ? LETS_ENCRYPT_STAGING : LETS_ENCRYPT),
    ca: ca === null ? null : ca.pem,
    email: config.email ?? null,
    eab: config.eab ?? null,
  };
}

function readCa(file: string): { readonly pem: string } | { readonly problem: Complaint } {
  let pem: string;
  try {
    pem = readNamedFile(file).toString();
  } catch (error) {
    const { code = 'unreadable' } = error as NodeJS.ErrnoException;
    return { problem: { code: 'HG0101', message: `cannot read “${file}”: ${code}` } };
  }
  // The transport would only say that it trusts nobody.
  return isCertificate(pem) ? { pem } : { problem: { message: 'the file holds no PEM certificate' } };
}

/** Does `listener` answer what authorities ask for over plain HTTP? */
export function answersHttpChallenges(listener: ListenerConfig, config: Config): boolean {
  return listener.kind === 'http' && listener.tls === undefined && usesHttpChallenges(config);
}

/** http-01 without a plain HTTP listener: every order would fail. */
export function vetAcme(config: Config, complaints: Complaints): void {
  const listeners = Object.values(config.listeners);
  if (!usesHttpChallenges(config) || listeners.some((listener) => answersHttpChallenges(listener, config))) return;
  for (const [name, { tls }] of Object.entries(config.listeners)) {
    if (tls?.acme?.challenge !== 'http-01') continue;
    const message = 'http-01 is asked for over plain HTTP on port 80, and no listener is without tls';
    complaints.add(['listeners', name, 'tls', 'acme', 'challenge'], { message });
  }
}

function usesHttpChallenges({ listeners }: Config): boolean {
  return Object.values(listeners).some(({ tls }) => tls?.acme?.challenge === 'http-01');
}
