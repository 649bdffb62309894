import { systemClock } from '../../src/clock.ts';
import { TlsPolicies } from '../../src/control/tls/tls-policies.ts';

/** Policies whose keys rotate by the time that `monotonic` tells; nothing of them is logged. */
export function tlsPolicies(monotonic: () => number = () => 0): TlsPolicies {
  const silent = { info: () => {}, warn: () => {}, error: () => {} };
  return new TlsPolicies({ clock: { ...systemClock, monotonic }, log: silent });
}
