import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { Leaf, LocalAuthority } from './local-authority.ts';
import { covers, type LocalNames } from './local-names.ts';

/** Names in the certificate for clients that name no host: more would make it long for every one of them. */
const MOST_NAMES = 100;

/**
 * What the local CA shows on one listener: to a client that asks for a name that is covered a certificate for that name alone
 * (clients refuse `*.localhost`, and a browser would use one connection for two names of one certificate), to one that names none
 * the certificate for the first 100 configured names. `null` for names that are not covered.
 */
export class LocalCertificates implements CertificateSource {
  readonly #authority: LocalAuthority;
  readonly #names: LocalNames;
  readonly #now: () => number;
  #nameless: Leaf;
  #renewing = false;

  private constructor(authority: LocalAuthority, names: LocalNames, nameless: Leaf, now: () => number) {
    this.#authority = authority;
    this.#names = names;
    this.#nameless = nameless;
    this.#now = now;
  }

  /** Makes the authority and the certificate for clients without SNI ready. Rejects with what is wrong with the authority's files. */
  static async open(authority: LocalAuthority, names: LocalNames, now: () => number): Promise<LocalCertificates> {
    return new LocalCertificates(authority, names, await authority.leafFor(shownTogether(names)), now);
  }

  certificateFor(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate> {
    if (serverName !== null) return covers(this.#names, serverName) ? this.#authority.certificateFor(serverName) : null;
    if (this.#now() >= this.#nameless.renewAtMs) this.#renew();
    return this.#nameless.certificate;
  }

  /** In the background: who names no host gets an answer at once, and the old certificate is good for days. */
  #renew(): void {
    if (this.#renewing) return;
    this.#renewing = true;
    this.#authority
      .leafFor(shownTogether(this.#names))
      .then((leaf) => {
        this.#nameless = leaf;
      })
      .catch(() => {}) // The authority's files are gone or broken; names that are asked for fail with the reason in the log.
      .finally(() => {
        this.#renewing = false;
      });
  }
}

function shownTogether({ names }: LocalNames): readonly string[] {
  return names.slice(0, MOST_NAMES);
}
