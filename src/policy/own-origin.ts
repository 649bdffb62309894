import type { Client, RequestHead } from '../exchange/exchange.ts';
import { askedAs } from '../http/forwarded.ts';

/**
 * The origin of what is asked for, as the browser that asks would write it (RFC 6454 §6.2): by what a trusted proxy says of scheme and host
 * where one stands in front. `null` for a request that names no host.
 */
export function ownOrigin(request: RequestHead, client: Client): string | null {
  const said = client.trusted ? askedAs(request.headers, client.forwardedBy) : null;
  const scheme = said?.scheme ?? request.scheme;
  const authority = (said?.host ?? request.authority).toLowerCase();
  if (authority === '') return null;
  const port = scheme === 'https' ? ':443' : ':80';
  return `${scheme}://${authority.endsWith(port) ? authority.slice(0, -port.length) : authority}`;
}

/** Was it https when it left the browser? */
export function isSecure(request: RequestHead, client: Client): boolean {
  if (request.scheme === 'https') return true;
  return client.trusted && askedAs(request.headers, client.forwardedBy).scheme === 'https';
}
