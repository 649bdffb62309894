import { LocalAuthority } from '../control/certificates/local-authority.ts';
import type { CertificateChoice } from '../control/compile-listener.ts';
import type { CertificateSource, KeyPair } from '../exchange/certificate.ts';
import { StartError } from './start-error.ts';

export interface CertificateParts {
  /** Where the local CA lives. */
  readonly directory: string;
  /** Milliseconds since the epoch. */
  readonly now: () => number;
}

/** What a listener shows in its handshakes. Rejects with a `StartError` when the local CA can't work. */
export async function certificateSource(
  choice: CertificateChoice,
  parts: CertificateParts,
): Promise<CertificateSource> {
  const certificate = { pairs: [await pairOf(choice, parts)], ocspResponse: null };
  return { certificateFor: () => certificate };
}

async function pairOf(choice: CertificateChoice, { directory, now }: CertificateParts): Promise<KeyPair> {
  if (choice.kind === 'files') return choice.pair;
  try {
    return await new LocalAuthority(directory, now).certificateFor(choice.names);
  } catch (error) {
    throw new StartError(`Cannot use the local CA in ${directory}: ${(error as Error).message}`);
  }
}
