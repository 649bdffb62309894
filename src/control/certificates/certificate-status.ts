import type { X509Certificate } from 'node:crypto';

/** What a running gateway says of one certificate. Plain data, nothing secret. */
export interface CertificateStatus {
  readonly listener: string;
  /** The file, or `acme`. */
  readonly from: string;
  /** Whether Headgate sees to the next one itself. */
  readonly renewal: 'by-others' | 'automatic';
  readonly names: readonly string[];
  /** One line; `null` while nothing could be loaded. */
  readonly issuer: string | null;
  /** ISO 8601; `null` while there is none. */
  readonly notBefore: string | null;
  /** ISO 8601; `null` while there is none. */
  readonly notAfter: string | null;
  /** `expiring`: less than 30 days are left, or the automatic renewal is overdue. `quarantined`: it can't be used, and its names are refused. */
  readonly state: 'ok' | 'expiring' | 'expired' | 'quarantined';
  /** Why its files can't be used as they are now, or what the last order came to. Unless it is quarantined, what they held before is still shown. */
  readonly problem: string | null;
  /** Whether an OCSP response is stapled: `null` when the certificate names no responder, or is not to be stapled. */
  readonly ocsp: 'stapled' | 'missing' | null;
}

const DAY_MS = 86_400_000;
/** Days left at which the log warns. */
export const WARN_DAYS = [30, 7, 1] as const;

/** `expiring` and `expired` by the clock. */
export function stateOf(notAfterMs: number, nowMs: number): 'ok' | 'expiring' | 'expired' {
  if (notAfterMs <= nowMs) return 'expired';
  return notAfterMs - nowMs <= WARN_DAYS[0] * DAY_MS ? 'expiring' : 'ok';
}

/** `O=Let's Encrypt, CN=R11` */
export function issuerOf(certificate: X509Certificate): string {
  return certificate.issuer.split('\n').join(', ');
}
