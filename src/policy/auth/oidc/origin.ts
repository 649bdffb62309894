import { saidScheme } from '../../../http/forwarded.ts';
import { isValidAuthority } from '../../../http/target.ts';
import type { PolicyRequest } from '../../admit.ts';

/**
 * Scheme, host and port of a request as its browser knows them: the configured ones, else what it sent, with the scheme that a trusted proxy before us
 * names. `null` for a request without a host. Whose host is not ours gets no further than the provider, which knows where it may send people back to.
 */
export function originOf({ request, client }: PolicyRequest, configured: string | null): string | null {
  if (configured !== null) return configured;
  const { authority, headers } = request;
  if (!isValidAuthority(authority)) return null;
  const said = client.trusted ? saidScheme(headers, client.forwardedBy) : null;
  const scheme = said ?? request.scheme;
  return `${scheme}://${authority.toLowerCase().replace(scheme === 'https' ? /:443$/ : /:80$/, '')}`;
}
