import { networkInterfaces } from 'node:os';
import type { OwnFamilies } from '../../upstream/discovery/reachable.ts';

/** What the interfaces of this machine have now. Link-local addresses lead nowhere that a name does. */
export function ownFamilies(): OwnFamilies {
  const addresses = Object.values(networkInterfaces())
    .flatMap((interface_) => interface_ ?? [])
    .filter(({ internal, address }) => !internal && !/^(?:169\.254\.|fe[89ab])/i.test(address));
  const six = addresses.filter(({ family }) => family === 'IPv6').map(({ address }) => address.toLowerCase());
  const global = six.some((address) => !/^f[cd]/.test(address));
  return {
    ipv4: addresses.some(({ family }) => family === 'IPv4'),
    ipv6: global ? 'global' : six.length > 0 ? 'local' : 'none',
  };
}
