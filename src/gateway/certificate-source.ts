import type { LocalAuthority } from '../control/certificates/local-authority.ts';
import { LocalCertificates } from '../control/certificates/local-certificates.ts';
import type { LocalNames } from '../control/certificates/local-names.ts';
import type { CertificateChoice } from '../control/compile-listener.ts';
import type { CertificateSource } from '../exchange/certificate.ts';
import { StartError } from './start-error.ts';

export interface CertificateParts {
  readonly localAuthority: LocalAuthority;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a listener shows in its handshakes. Rejects with a `StartError` when the local CA can't work. */
export async function certificateSource(
  choice: CertificateChoice,
  parts: CertificateParts,
): Promise<CertificateSource> {
  if (choice.kind === 'minted') {
    const local = await localCertificates(choice.names, parts);
    return { certificateFor: (serverName) => local.certificateFor(serverName) ?? local.certificateFor(null) };
  }
  const certificate = { pairs: [choice.pair], ocspResponse: null };
  return { certificateFor: () => certificate };
}

/** Rejects with a `StartError` when the files of the local CA can't be used. */
export async function localCertificates(
  names: LocalNames,
  { localAuthority, now }: CertificateParts,
): Promise<LocalCertificates> {
  try {
    return await LocalCertificates.open(localAuthority, names, now);
  } catch (error) {
    throw new StartError(`Cannot use the local CA ${localAuthority.certificateFile}: ${(error as Error).message}`);
  }
}
