import { X509Certificate } from 'node:crypto';
import type { Clock, TimerHandle } from '../../../clock.ts';
import { GatewayError } from '../../../errors.ts';
import type { CertificateSource, KeyPair, ServerCertificate } from '../../../exchange/certificate.ts';
import { type CertificateStatus, issuerOf } from '../certificate-status.ts';
import type { Obtained, Proof } from './issuer.ts';
import { AcmeError } from './problem.ts';
import { renewalTime, retryDelay, stateAt, type Validity } from './renewal.ts';

/** Longest single timer: after a sleep of the machine or a change of its clock, dates are looked at again this soon. */
const LOOK_MS = 3_600_000;

export interface AcmeOptions {
  /** Lower case; one certificate has them all. */
  readonly names: readonly string[];
}

/** Hears how it goes. Must not throw. */
export interface AcmeObserver {
  obtained(certificate: { readonly names: readonly string[]; readonly notAfter: string }): void;
  failed(failure: AcmeFailure): void;
}

/** What a gateway says of it; where it comes from, others know. */
export type AcmeStatus = Pick<CertificateStatus, 'names' | 'issuer' | 'notBefore' | 'notAfter' | 'state' | 'problem'>;

export interface AcmeFailure {
  readonly names: readonly string[];
  /** Enumerated, kebab-case. */
  readonly reason: string;
  readonly detail: string;
  /** When it is tried again, ISO 8601. */
  readonly retryAt: string;
}

/** Where certificates come from. */
export interface Issuer {
  stored(names: readonly string[]): Promise<KeyPair | null>;
  obtain(names: readonly string[], proof: Proof, isGood: (stored: KeyPair) => boolean): Promise<Obtained>;
}

export interface AcmeParts {
  readonly issuer: Issuer;
  readonly proof: Omit<Proof, 'signal'>;
  readonly clock: Clock;
  /** In [0, 1). */
  readonly random: () => number;
  readonly observer: AcmeObserver;
}

/**
 * The certificate of one listener from an ACME authority: the stored one if it is for these names, else one that is ordered;
 * renewed when a third of its lifetime is left, while the old one serves. One order at a time; a failure is reported and tried
 * again, 1 min to 6 h later, or when the authority says.
 */
export class AcmeCertificates implements CertificateSource {
  readonly #names: readonly string[];
  readonly #own: ReadonlySet<string>;
  readonly #parts: AcmeParts;
  readonly #stopped = new AbortController();
  #current: ServerCertificate | null = null;
  #renewAt = 0;
  #leaf: X509Certificate | null = null;
  #failures = 0;
  #lastFailure: string | null = null;
  #timer: TimerHandle | null = null;

  constructor({ names }: AcmeOptions, parts: AcmeParts) {
    this.#names = names;
    this.#own = new Set(names);
    this.#parts = parts;
  }

  /** Reads what is stored. Rejects with what the file system says. */
  async open(): Promise<void> {
    const stored = await this.#parts.issuer.stored(this.#names);
    if (stored !== null) this.#use(stored);
  }

  /** Begins to order and renew, once listeners are open that the authority can ask. */
  start(): void {
    if (!this.#stopped.signal.aborted) this.#look();
  }

  /** Ends everything; an order under way is given up. */
  stop(): void {
    this.#stopped.abort(new AcmeError('stopped', 'The gateway was stopped'));
    if (this.#timer !== null) this.#parts.clock.cancel(this.#timer);
    this.#timer = null;
  }

  /** `null` for names of others. Rejects for its own while there is no certificate: better no handshake than a wrong one. */
  certificateFor(serverName: string | null): ServerCertificate | null | Promise<never> {
    if (serverName !== null && !this.#own.has(serverName)) return null;
    if (this.#current !== null || serverName === null) return this.#current;
    return Promise.reject(certificatePending());
  }

  /** How it stands, for whoever looks after certificates. */
  status(): AcmeStatus {
    const leaf = this.#leaf;
    return {
      names: this.#names,
      issuer: leaf === null ? null : issuerOf(leaf),
      notBefore: leaf === null ? null : leaf.validFromDate.toISOString(),
      notAfter: leaf === null ? null : leaf.validToDate.toISOString(),
      state: leaf === null ? 'quarantined' : stateAt(validityOf(leaf), this.#parts.clock.now()),
      problem: this.#lastFailure,
    };
  }

  #use(pair: KeyPair): void {
    this.#current = { pairs: [pair], ocspResponse: null };
    this.#leaf = new X509Certificate(pair.certificate);
    this.#renewAt = renewalTime(validityOf(this.#leaf), this.#parts.random());
  }

  readonly #look = (): void => {
    this.#timer = null;
    const now = this.#parts.clock.now();
    if (now < this.#renewAt) this.#timer = this.#parts.clock.after(Math.min(this.#renewAt - now, LOOK_MS), this.#look);
    else void this.#renew();
  };

  async #renew(): Promise<void> {
    const { issuer, proof } = this.#parts;
    const { signal } = this.#stopped;
    try {
      const { pair, unsaved } = await issuer.obtain(this.#names, { ...proof, signal }, (stored) =>
        this.#isGood(stored),
      );
      if (signal.aborted) return;
      this.#renewed(pair);
      if (unsaved !== null) this.#tellFailed('not-stored', unsaved.message);
    } catch (error) {
      if (signal.aborted) return;
      this.#failed(error);
    }
    this.#look();
  }

  /** Another gateway with the same store may have renewed it. Without the spread: what is due for us is due. */
  #isGood(stored: KeyPair): boolean {
    return this.#parts.clock.now() < renewalTime(validityOf(new X509Certificate(stored.certificate)), 0);
  }

  #renewed(pair: KeyPair): void {
    this.#use(pair);
    // Otherwise the next order would follow at once, and so on.
    if (this.#renewAt <= this.#parts.clock.now()) {
      this.#failed(
        new AcmeError('not-current', 'The new certificate is due already: is the clock of this machine right?'),
      );
      return;
    }
    this.#failures = 0;
    this.#lastFailure = null;
    this.#parts.observer.obtained({ names: this.#names, notAfter: this.#leaf?.validToDate.toISOString() ?? '' });
  }

  #failed(error: unknown): void {
    const { clock, random } = this.#parts;
    this.#failures += 1;
    this.#renewAt = clock.now() + Math.max(retryDelay(this.#failures, random()), askedToWait(error));
    this.#lastFailure = detailOf(error);
    this.#tellFailed(reasonOf(error), this.#lastFailure);
  }

  #tellFailed(reason: string, detail: string): void {
    const retryAt = new Date(this.#renewAt).toISOString();
    this.#parts.observer.failed({ names: this.#names, reason, detail, retryAt });
  }
}

/** Not a bug: the log gets the reason of a refused handshake, and why the order takes so long was told when it failed. */
function certificatePending(): GatewayError {
  return new GatewayError('tls_certificate_error', { blame: 'gateway', status: 503, reason: 'certificate-pending' });
}

function validityOf({ validFromDate, validToDate }: X509Certificate): Validity {
  return { notBeforeMs: validFromDate.getTime(), notAfterMs: validToDate.getTime() };
}

function askedToWait(error: unknown): number {
  return error instanceof AcmeError ? (error.retryAfterMs ?? 0) : 0;
}

function reasonOf(error: unknown): string {
  if (error instanceof AcmeError || error instanceof GatewayError) return error.reason;
  return error instanceof Error && 'syscall' in error ? 'file-system' : 'unexpected';
}

function detailOf(error: unknown): string {
  if (error instanceof GatewayError && error.cause instanceof Error) return `${error.message}: ${error.cause.message}`;
  return error instanceof Error ? error.message : String(error);
}
