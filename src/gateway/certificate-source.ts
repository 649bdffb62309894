import type { AcmeCertificates } from '../control/certificates/acme/acme-certificates.ts';
import type { LocalAuthority } from '../control/certificates/local-authority.ts';
import { LocalCertificates } from '../control/certificates/local-certificates.ts';
import type { LocalNames } from '../control/certificates/local-names.ts';
import type { CertificatePlan } from '../control/compile-listener.ts';
import type { CertificateSource } from '../exchange/certificate.ts';
import { StartError } from './start-error.ts';

export interface CertificateParts {
  readonly localAuthority: LocalAuthority;
  /** What this listener gets by ACME, or `null`. */
  readonly acme: AcmeCertificates | null;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** Who is asked for names that no file has. Rejects with a `StartError` when the local CA can't work. */
export async function certificateProviders(
  plan: CertificatePlan,
  parts: CertificateParts,
): Promise<readonly CertificateSource[]> {
  const minted = plan.minted === null ? null : await localCertificates(plan.minted, parts);
  return [parts.acme, minted].filter((provider) => provider !== null);
}

/** Rejects with a `StartError` when the files of the local CA can't be used. */
export async function localCertificates(
  names: LocalNames,
  { localAuthority, now }: Pick<CertificateParts, 'localAuthority' | 'now'>,
): Promise<LocalCertificates> {
  try {
    return await LocalCertificates.open(localAuthority, names, now);
  } catch (error) {
    throw new StartError(`Cannot use the local CA ${localAuthority.certificateFile}: ${(error as Error).message}`);
  }
}
