/** A third of its lifetime before its end a certificate is renewed: 30 of 90 days, as authorities ask for. */
const LIFETIME_SHARE = 2 / 3;
/** Of the lifetime. Gateways that were installed together shall not renew together. */
const SPREAD_SHARE = 1 / 50;
const FIRST_RETRY_MS = 60_000;
const LAST_RETRY_MS = 6 * 3_600_000;

export interface Validity {
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
}

/** When a certificate is due for renewal, epoch milliseconds. `random` is in [0, 1). */
export function renewalTime(validity: Validity, random: number): number {
  const lifetimeMs = validity.notAfterMs - validity.notBeforeMs;
  return validity.notBeforeMs + lifetimeMs * (LIFETIME_SHARE + SPREAD_SHARE * random);
}

/** How long to wait after `failures` orders in a row came to nothing (1 or more): 1 min, doubling up to 6 h, ±20 %. */
export function retryDelay(failures: number, random: number): number {
  const delayMs = Math.min(FIRST_RETRY_MS * 2 ** Math.min(failures - 1, 20), LAST_RETRY_MS);
  return Math.min(delayMs * (0.8 + 0.4 * random), LAST_RETRY_MS);
}

/** `expiring` when less than a sixth of the lifetime is left: half of the time for renewing has gone by. */
export function stateAt({ notBeforeMs, notAfterMs }: Validity, nowMs: number): 'ok' | 'expiring' | 'expired' {
  if (notAfterMs <= nowMs) return 'expired';
  return notAfterMs - nowMs < (notAfterMs - notBeforeMs) / 6 ? 'expiring' : 'ok';
}
