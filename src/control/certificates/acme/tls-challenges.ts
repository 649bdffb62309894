import type { KeyPair, TlsChallenges } from '../../../exchange/certificate.ts';

/** Answers to tls-alpn-01 challenges (RFC 8737), for every TLS listener; as many as names in the orders that are under way. */
export class PendingTlsChallenges implements TlsChallenges {
  readonly #pending = new Map<string, KeyPair>();

  get pending(): boolean {
    return this.#pending.size > 0;
  }

  certificateFor(serverName: string): KeyPair | null {
    return this.#pending.get(serverName) ?? null;
  }

  /** Proves control over `name` until what comes back is called. */
  async put(name: string, keyAuthorization: string): Promise<() => void> {
    // Imported only when it is needed: the ASN.1 packages take 60 ms that a start need not spend.
    const { challengeCertificate } = await import('./challenge-certificate.ts');
    const certificate = await challengeCertificate(name, keyAuthorization);
    this.#pending.set(name, certificate);
    return () => {
      if (this.#pending.get(name) === certificate) this.#pending.delete(name);
    };
  }
}
