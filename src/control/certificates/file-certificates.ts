import type { Clock, TimerHandle } from '../../clock.ts';
import type { CertificateSource, ServerCertificate } from '../../exchange/certificate.ts';
import type { CertificatePlan, PlannedFile } from '../compile-listener.ts';
import {
  type CertificateFile,
  type LoadedCertificate,
  loadCertificate,
  pathsOf,
  readContentLater,
} from './certificate-file.ts';
import type { CertificateLog } from './certificate-log.ts';
import { type CertificateStatus, issuerOf, stateOf } from './certificate-status.ts';
import { FileWatch, stampOf } from './file-watch.ts';
import { CertificateSelection, type SelectionContent } from './selection.ts';

/** Certificate and key are not replaced in one step: what does not fit together is looked at once more before it counts. */
const SETTLE_MS = 1000;
/** Files that are read at a time. */
const AT_ONCE = 16;

export interface FileCertificatesOptions {
  readonly listener: string;
  readonly plan: CertificatePlan;
  /** Asked for names that no file has. */
  readonly providers: readonly CertificateSource[];
  readonly staples: Staples | null;
  readonly clock: Clock;
  readonly log: CertificateLog;
  /** Other certificates are shown from now on. */
  readonly changed: () => void;
}

/** Keeps OCSP responses for the certificates in use. */
export interface Staples {
  /** Those of `owner` from now on; responses of others are let go of. */
  keep(owner: object, certificates: readonly LoadedCertificate[]): void;
  /** The current response, or `null`. */
  stapleFor(certificate: LoadedCertificate): Uint8Array | null;
  /** False when there is none to be had: the certificate names no responder, or its issuer is not known. */
  canStaple(certificate: LoadedCertificate): boolean;
}

interface Entry {
  readonly file: CertificateFile;
  /** When its files were last looked at, as `stampOf` says. */
  stamp: string;
  digest: string;
  /** What is shown: the last that was good. */
  loaded: LoadedCertificate | null;
  /** Of a certificate that was never good. */
  names: readonly string[];
  problem: string | null;
  /** Found broken once, and looked at again soon. */
  suspect: boolean;
}

/**
 * The certificates that a listener's configuration names. Their files are read again when they change: handshakes from then on
 * show what they hold, connections notice nothing. Files that have become unusable change nothing but the log and the status.
 */
export class FileCertificates implements CertificateSource {
  readonly #options: FileCertificatesOptions;
  readonly #entries: readonly Entry[];
  readonly #selection: CertificateSelection;
  readonly #watch: FileWatch;
  #again: TimerHandle | null = null;
  #looking: 'no' | 'yes' | 'yes-and-again' = 'no';
  #stopped = false;

  constructor(options: FileCertificatesOptions) {
    this.#options = options;
    const { plan, providers, staples, clock } = options;
    this.#entries = plan.files.map(entryOf);
    this.#selection = new CertificateSelection(contentOf(this.#entries), {
      providers,
      unknownNames: plan.unknownNames,
      staple: staples === null ? null : (certificate) => staples.stapleFor(certificate),
    });
    this.#watch = new FileWatch({
      paths: plan.files.flatMap(({ file }) => pathsOf(file)),
      clock,
      changed: () => this.#look(),
    });
  }

  get hasSeveralKeys(): boolean {
    return this.#selection.hasSeveralKeys;
  }

  certificateFor(serverName: string | null): ServerCertificate | null | Promise<ServerCertificate | null> {
    return this.#selection.certificateFor(serverName);
  }

  start(): void {
    if (this.#entries.length === 0) return;
    if (this.#options.providers.length === 0 && this.#entries.every(({ loaded }) => loaded === null)) {
      const fields = { listener: this.#options.listener, reason: 'no-usable-certificate' };
      this.#options.log.error(fields, 'A listener has no usable certificate and refuses every handshake');
    }
    this.#keepStaples();
    this.#watch.start();
    // What was changed since the configuration was compiled.
    this.#look();
  }

  stop(): void {
    this.#stopped = true;
    this.#watch.stop();
    if (this.#again !== null) this.#options.clock.cancel(this.#again);
    this.#options.staples?.keep(this, []);
  }

  status(): readonly CertificateStatus[] {
    const nowMs = this.#options.clock.now();
    return this.#entries.map(({ file, loaded, names, problem }) => ({
      listener: this.#options.listener,
      from: pathsOf(file)[0] ?? '',
      renewal: 'by-others',
      names: loaded?.names ?? names,
      issuer: loaded === null ? null : issuerOf(loaded.leaf),
      notBefore: loaded === null ? null : loaded.leaf.validFromDate.toISOString(),
      notAfter: loaded === null ? null : loaded.leaf.validToDate.toISOString(),
      state: loaded === null ? 'quarantined' : stateOf(loaded.leaf.validToDate.getTime(), nowMs),
      problem,
      ocsp: loaded === null ? null : this.#ocspOf(loaded),
    }));
  }

  #ocspOf(certificate: LoadedCertificate): CertificateStatus['ocsp'] {
    const { staples } = this.#options;
    if (staples === null || !staples.canStaple(certificate)) return null;
    return staples.stapleFor(certificate) === null ? 'missing' : 'stapled';
  }

  #keepStaples(): void {
    this.#options.staples?.keep(this, contentOf(this.#entries).certificates);
  }

  /** One look at a time: events while it lasts lead to one more. */
  #look(): void {
    if (this.#looking !== 'no') {
      this.#looking = 'yes-and-again';
      return;
    }
    this.#looking = 'yes';
    const bug = (error: unknown): void => {
      this.#options.log.error({ err: error, listener: this.#options.listener }, 'Looking at certificates met a bug');
    };
    void this.#lookAtAll()
      .then((changed) => {
        if (changed && !this.#stopped) this.#replace();
      })
      .catch(bug)
      .then(() => {
        const again = this.#looking === 'yes-and-again';
        this.#looking = 'no';
        if (this.#stopped) return;
        if (again) this.#look();
        else if (this.#entries.some(({ suspect }) => suspect)) this.#lookAgainSoon();
      });
  }

  #lookAgainSoon(): void {
    this.#again ??= this.#options.clock.after(SETTLE_MS, () => {
      this.#again = null;
      this.#look();
    });
  }

  #replace(): void {
    this.#selection.replace(contentOf(this.#entries));
    this.#keepStaples();
    this.#options.changed();
  }

  /** True when something else is to be shown. */
  async #lookAtAll(): Promise<boolean> {
    let changed = false;
    for (let from = 0; from < this.#entries.length; from += AT_ONCE) {
      const some = this.#entries.slice(from, from + AT_ONCE);
      const results = await Promise.all(some.map((entry) => this.#lookAt(entry)));
      changed ||= results.includes(true);
    }
    return changed;
  }

  async #lookAt(entry: Entry): Promise<boolean> {
    const stamp = await stampOf(pathsOf(entry.file));
    if (stamp === entry.stamp && !entry.suspect) return false;
    const content = await readContentLater(entry.file);
    entry.stamp = stamp;
    if (content.digest === entry.digest) {
      entry.suspect = false;
      return false;
    }
    const result = loadCertificate(entry.file, content);
    if (!result.ok && !entry.suspect) {
      entry.suspect = true;
      return false;
    }
    entry.suspect = false;
    entry.digest = content.digest;
    if (result.ok) return this.#accept(entry, result.certificate);
    this.#complain(entry, result.problems.map(({ message }) => message).join('; '));
    if (entry.loaded === null) entry.names = result.names;
    return entry.loaded === null;
  }

  #accept(entry: Entry, certificate: LoadedCertificate): boolean {
    entry.loaded = certificate;
    entry.problem = null;
    const { names, leaf } = certificate;
    const fields = { names: names.slice(0, 5), notAfter: leaf.validToDate.toISOString() };
    this.#options.log.info(
      { ...this.#fieldsOf(entry), ...fields, reason: 'certificate-reloaded' },
      'A certificate was read again',
    );
    return true;
  }

  #complain(entry: Entry, problem: string): void {
    entry.problem = problem;
    const fields = { ...this.#fieldsOf(entry), problem, reason: 'certificate-unusable' };
    if (entry.loaded === null) this.#options.log.error(fields, 'A certificate still can’t be used');
    else this.#options.log.error(fields, 'A certificate can’t be used any more: the one before is kept');
  }

  #fieldsOf({ file }: Entry): { listener: string; certificate: string } {
    return { listener: this.#options.listener, certificate: pathsOf(file)[0] ?? '' };
  }
}

function entryOf({ file, digest, result }: PlannedFile): Entry {
  return {
    file,
    stamp: '',
    digest,
    loaded: result.ok ? result.certificate : null,
    names: result.ok ? [] : result.names,
    problem: result.ok ? null : result.problems.map(({ message }) => message).join('; '),
    suspect: false,
  };
}

function contentOf(entries: readonly Entry[]): SelectionContent {
  return {
    certificates: entries.flatMap(({ loaded }) => (loaded === null ? [] : [loaded])),
    quarantined: entries.flatMap(({ loaded, names }) => (loaded === null ? names : [])),
  };
}
