import type { Clock } from '../../clock.ts';
import type { TlsConfig } from '../../config/schema/tls.ts';
import type { CertificateLog } from '../certificates/certificate-log.ts';
import { FileWatch, stampOf } from '../certificates/file-watch.ts';
import { filesOfTlsSettings, readTlsSettings, type TlsSettings } from './tls-settings.ts';

export interface PolicyFilesOptions {
  readonly listener: string;
  readonly tls: TlsConfig;
  readonly policy: { replace(settings: TlsSettings): void };
  readonly clock: Clock;
  readonly log: CertificateLog;
}

/**
 * Follows the files of a listener's policy: ticket keys, authorities and revocation lists of clients. What was read last and
 * was sound stays in force while a file is missing or damaged: an empty list would let everybody in, no list nobody.
 */
export class PolicyFiles {
  readonly #options: PolicyFilesOptions;
  readonly #paths: readonly string[];
  readonly #watch: FileWatch;
  #stamp: string | null = null;
  #looking: 'no' | 'yes' | 'yes-and-again' = 'no';

  constructor(options: PolicyFilesOptions) {
    this.#options = options;
    this.#paths = filesOfTlsSettings(options.tls);
    this.#watch = new FileWatch({ paths: this.#paths, clock: options.clock, changed: () => this.#look() });
  }

  start(): void {
    if (this.#paths.length === 0) return;
    this.#watch.start();
    this.#look();
  }

  stop(): void {
    this.#watch.stop();
  }

  /** One look at a time: events while it lasts lead to one more. */
  #look(): void {
    if (this.#looking !== 'no') {
      this.#looking = 'yes-and-again';
      return;
    }
    this.#looking = 'yes';
    // It never rejects.
    void stampOf(this.#paths).then((stamp) => {
      const again = this.#looking === 'yes-and-again';
      this.#looking = 'no';
      if (stamp !== this.#stamp) this.#read(stamp);
      if (again) this.#look();
    });
  }

  #read(stamp: string): void {
    const first = this.#stamp === null;
    this.#stamp = stamp;
    const { listener, tls, policy, log } = this.#options;
    const reading = readTlsSettings(tls);
    if (reading.ok) {
      policy.replace(reading.settings);
      if (!first) log.info({ listener }, 'The files of a TLS policy have changed and were read again');
      return;
    }
    for (const { key, message } of reading.problems) {
      const fields = { listener, key: key.join('.'), reason: 'unusable-policy-file', problem: message };
      log.warn(fields, 'A file of a TLS policy can’t be used; what was read before stays in force');
    }
  }
}
