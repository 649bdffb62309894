import type { Clock } from '../../../clock.ts';
import type { KeyPair } from '../../../exchange/certificate.ts';
import type { HttpClient } from '../../http-client.ts';
import { type AccountOptions, ownAccount, signIn } from './account.ts';
import type { Issuer } from './acme-certificates.ts';
import { type OrderParts, orderCertificate } from './order.ts';
import { AcmeError } from './problem.ts';
import { AcmeSession } from './session.ts';
import { AcmeStore } from './store.ts';
import type { Turns } from './turns.ts';

export interface IssuerOptions extends AccountOptions {
  readonly directoryUrl: string;
  /** PEM of the authorities that may vouch for the server, `null` for the public ones. */
  readonly ca: string | null;
}

export interface IssuerParts {
  readonly http: HttpClient;
  readonly clock: Clock;
  /** Where all certificates are kept. */
  readonly directory: string;
  /** Shared by all issuers of the process. */
  readonly turns: Turns;
}

export interface Obtained {
  readonly pair: KeyPair;
  /** What the file system said when a new certificate could not be stored. It serves all the same: orders are rationed. */
  readonly unsaved: Error | null;
}

/** What one order needs besides its names. */
export type Proof = Pick<OrderParts, 'challenge' | 'prove' | 'signal'>;

/** One authority as seen by one listener: signs in, orders, and keeps what it was given. */
export class AcmeIssuer implements Issuer {
  readonly #store: AcmeStore;
  readonly #options: IssuerOptions;
  readonly #parts: IssuerParts;

  constructor(options: IssuerOptions, parts: IssuerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#store = new AcmeStore(parts.directory, options.directoryUrl);
  }

  /** What an earlier run was given for exactly these names. Rejects with what the file system says. */
  stored(names: readonly string[]): Promise<KeyPair | null> {
    return this.#store.readCertificate(names);
  }

  /**
   * Orders a certificate for `names` and stores it. Orders of one store wait for each other: two listeners that register an
   * account at once would lose one of the keys. `isGood` says of what is stored by then whether it will do instead.
   */
  async obtain(names: readonly string[], proof: Proof, isGood: (pair: KeyPair) => boolean): Promise<Obtained> {
    return this.#parts.turns.take(this.#store.directory, async () => {
      proof.signal.throwIfAborted();
      const stored = await this.#store.readCertificate(names);
      if (stored !== null && isGood(stored)) return { pair: stored, unsaved: null };
      const pair = await this.#order(names, proof);
      try {
        await this.#store.writeCertificate(names, pair);
        return { pair, unsaved: null };
      } catch (error) {
        return { pair, unsaved: error as Error };
      }
    });
  }

  async #order(names: readonly string[], proof: Proof): Promise<KeyPair> {
    try {
      return await this.#orderOnce(names, proof);
    } catch (error) {
      if (!(error instanceof AcmeError && error.reason === 'account-does-not-exist')) throw error;
      // The authority has forgotten us, or is another one under the same address. The key can be registered again.
      const stored = await this.#store.readAccount();
      if (stored === null || stored.url === null) throw error;
      await this.#store.writeAccount({ ...stored, url: null });
      return this.#orderOnce(names, proof);
    }
  }

  async #orderOnce(names: readonly string[], proof: Proof): Promise<KeyPair> {
    const { http, clock } = this.#parts;
    const { directoryUrl, ca } = this.#options;
    const account = await ownAccount(this.#store, this.#options);
    const session = new AcmeSession({ http, clock, directoryUrl, ca, key: account.key, signal: proof.signal });
    await signIn(session, account, { store: this.#store, options: this.#options });
    return orderCertificate(session, names, { clock, ...proof });
  }
}
