import type { Clock, TimerHandle } from '../../clock.ts';
import type { CertificateLog } from './certificate-log.ts';
import { type CertificateStatus, WARN_DAYS } from './certificate-status.ts';

const DAY_MS = 86_400_000;
const LOOK_MS = 3_600_000;

export interface ExpiryWatchOptions {
  readonly certificates: () => readonly CertificateStatus[];
  readonly clock: Clock;
  readonly log: CertificateLog;
}

/**
 * Says in the log when 30, 7 and 1 days of a certificate are left, and when it has expired: each once for a certificate, and only
 * the last that applies. Looks when told to and every hour. Remembers as many certificates as there are.
 */
export class ExpiryWatch {
  readonly #options: ExpiryWatchOptions;
  /** By listener, origin and end: the days that were warned of last, 0 for the end. */
  #warned = new Map<string, number>();
  #timer: TimerHandle | null = null;

  constructor(options: ExpiryWatchOptions) {
    this.#options = options;
  }

  start(): void {
    this.look();
    this.#timer = this.#options.clock.after(LOOK_MS, () => this.start());
  }

  stop(): void {
    if (this.#timer !== null) this.#options.clock.cancel(this.#timer);
    this.#timer = null;
  }

  look(): void {
    const before = this.#warned;
    this.#warned = new Map();
    const nowMs = this.#options.clock.now();
    for (const status of this.#options.certificates()) {
      if (status.notAfter === null) continue;
      const key = JSON.stringify([status.listener, status.from, status.notAfter]);
      const leftMs = Date.parse(status.notAfter) - nowMs;
      const days = leftMs <= 0 ? 0 : thresholdsOf(status).findLast((threshold) => leftMs <= threshold * DAY_MS);
      if (days === undefined) continue;
      this.#warned.set(key, days);
      if (before.get(key) !== days) this.#warn(status, leftMs);
    }
  }

  #warn({ listener, from, names, notAfter }: CertificateStatus, leftMs: number): void {
    const { log } = this.#options;
    const fields = { listener, certificate: from, names: names.slice(0, 5), notAfter };
    if (leftMs <= 0) log.error({ ...fields, reason: 'certificate-expired' }, 'A certificate has expired');
    else {
      const daysLeft = Math.ceil(leftMs / DAY_MS);
      log.warn({ ...fields, daysLeft, reason: 'certificate-expiring' }, 'A certificate expires soon');
    }
  }
}

/** A certificate that is renewed with a third of its life left is news only when less of it is. */
function thresholdsOf({ renewal, notBefore, notAfter }: CertificateStatus): readonly number[] {
  if (renewal === 'by-others' || notBefore === null || notAfter === null) return WARN_DAYS;
  const thirdMs = (Date.parse(notAfter) - Date.parse(notBefore)) / 3;
  return WARN_DAYS.filter((days) => days * DAY_MS < thirdMs);
}
