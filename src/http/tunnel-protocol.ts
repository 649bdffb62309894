import { isToken } from './method.ts';

/**
 * May `protocol`, one member of `Upgrade` (RFC 9110 §7.8) or a `:protocol` (RFC 8441 §4), be carried out as a tunnel? Not HTTP
 * in another version nor TLS: what came through such a tunnel would be requests that no rule of ours has seen.
 */
export function isTunnelProtocol(protocol: string): boolean {
  const slash = protocol.indexOf('/');
  const name = (slash === -1 ? protocol : protocol.slice(0, slash)).toLowerCase();
  if (!isToken(name) || (slash !== -1 && !isToken(protocol.slice(slash + 1)))) return false;
  return name !== 'h2c' && name !== 'h2' && name !== 'http' && name !== 'tls';
}
