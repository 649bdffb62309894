import { listenPlaceOf } from '../config/schema/bind-address.ts';
import type { ListenerConfig } from '../config/schema/listener.ts';
import type { Complaints } from './complaints.ts';

/** Where a listener listens, and to whom: what `address`, `port`, `mode` and `proxyProtocol` can't say together. */
export function complainOfPlace(name: string, config: ListenerConfig, complaints: Complaints): void {
  const { address, port, mode } = config;
  const complain = (key: 'port' | 'mode' | 'proxyProtocol', message: string): void =>
    complaints.add(['listeners', name, key], { message });
  const isSocket = address !== undefined && 'socketPath' in address;
  if (mode !== undefined && !isSocket) complain('mode', 'only the file of a Unix socket has a mode');
  if (port !== undefined && isSocket) complain('port', 'a Unix socket has no port');
  else if (listenPlaceOf(config) === null) complain('port', 'the address has a port already: remove one of the two');
  // Whoever connects to a Unix socket is `unix:`, and nobody else is.
  const mayConnect = config.trustedProxies.some((entry) => (entry === 'unix:') === isSocket);
  if (config.proxyProtocol && !mayConnect)
    complain('proxyProtocol', 'nobody may send a PROXY header: list those who must in “trustedProxies”');
}
