/** What this machine has to send from, besides loopback. */
export interface OwnFamilies {
  readonly ipv4: boolean;
  /** `local`: unique local addresses only (RFC 4193). */
  readonly ipv6: 'none' | 'local' | 'global';
}

/**
 * Those of `addresses` that a machine with such addresses can reach, or all of them if that leaves none. A name often has both
 * families while the machine has one, and an endpoint that can never be connected to would count as ill for ever. The idea is that
 * of AI_ADDRCONFIG (RFC 3493 §6.1).
 */
export function reachableAmong(addresses: readonly string[], own: OwnFamilies): readonly string[] {
  const reachable = addresses.filter((address) => isReachable(address.toLowerCase(), own));
  return reachable.length === 0 ? addresses : reachable;
}

function isReachable(address: string, own: OwnFamilies): boolean {
  if (!address.includes(':')) return own.ipv4 || address.startsWith('127.');
  if (address === '::1') return true;
  // A link-local address means nothing without the link, which no name server can tell.
  if (/^fe[89ab]/.test(address)) return false;
  return /^f[cd]/.test(address) ? own.ipv6 !== 'none' : own.ipv6 === 'global';
}
