import { TlsPolicies } from '../../src/control/tls/tls-policies.ts';

/** Policies whose keys rotate by the time that `monotonic` tells. */
export function tlsPolicies(monotonic: () => number = () => 0): TlsPolicies {
  return new TlsPolicies(monotonic);
}
