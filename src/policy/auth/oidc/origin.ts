import type { Scheme } from '../../../exchange/exchange.ts';
import { saidScheme } from '../../../http/forwarded.ts';
import { isValidAuthority } from '../../../http/target.ts';
import type { PolicyRequest } from '../../admit.ts';

/**
 * Scheme, host and port of a request as its browser knows them: the configured ones, else what it sent, with the scheme that a trusted proxy before us
 * names. `null` for a request without a host. Whose host is not ours gets no further than the provider, which knows where it may send people back to.
 */
export function originOf({ request, client }: PolicyRequest, configured: string | null): string | null {
  if (configured !== null) return configured;
  const { authority } = request;
  if (!isValidAuthority(authority)) return null;
  const scheme = schemeOf({ request, client });
  return `${scheme}://${authority.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')}`;
}

/** The scheme alone, of every request: its cookies have other names over TLS. */
export function schemeOf({ request, client }: Pick<PolicyRequest, 'request' | 'client'>): Scheme {
  const said = client.trusted ? saidScheme(request.headers, client.forwardedBy) : null;
  return said ?? request.scheme;
}
