import type { X509Certificate } from 'node:crypto';

/** What a running gateway says of one certificate. Plain data, nothing secret. */
export interface CertificateStatus {
  readonly listener: string;
  /** The file, or what else it comes from. */
  readonly from: string;
  readonly names: readonly string[];
  /** One line; `null` while nothing could be loaded. */
  readonly issuer: string | null;
  /** ISO 8601; `null` while nothing could be loaded. */
  readonly notAfter: string | null;
  /** `expiring`: less than 30 days are left. `quarantined`: it can't be used, and its names are refused. */
  readonly state: 'ok' | 'expiring' | 'expired' | 'quarantined';
  /** Why its files can't be used as they are now. Unless it is quarantined, what they held before is still shown. */
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
