export interface TransportSecurity {
  /** Milliseconds. */
  readonly maxAge: number;
  readonly includeSubDomains: boolean;
  readonly preload: boolean;
}

/** Value of `Strict-Transport-Security` (RFC 6797 §6.1). `preload` is not in the RFC: it is what the lists of browsers ask for. `null` for none. */
export function transportSecurity(security: TransportSecurity | null): string | null {
  if (security === null) return null;
  const { maxAge, includeSubDomains, preload } = security;
  const subDomains = includeSubDomains ? '; includeSubDomains' : '';
  return `max-age=${Math.floor(maxAge / 1000)}${subDomains}${preload ? '; preload' : ''}`;
}
