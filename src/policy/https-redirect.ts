import type { LocalReply } from '../exchange/local-reply.ts';
import { isValidAuthority } from '../http/target.ts';
import { translate, URL_PATH, URL_QUERY } from './octets.ts';
import { redirectTo } from './redirect.ts';
import type { Variables } from './variables.ts';

export interface HttpsRedirectOptions {
  /** Port of the TLS listener as clients see it. */
  readonly port: number;
}

/**
 * Sends everything to the same host, path and query on the TLS listener. 301 for GET and HEAD, else 308, which keeps method
 * and body (RFC 9110 §15.4.9). Without a usable `Host` there is nowhere to send anyone: 400.
 */
export function httpsRedirect({ port }: HttpsRedirectOptions): (variables: Variables) => LocalReply {
  const suffix = port === 443 ? '' : `:${port}`;
  return (variables) => {
    const { method, authority } = variables.request;
    if (!isValidAuthority(authority)) return invalidHost;
    const status = method === 'GET' || method === 'HEAD' ? 301 : 308;
    return redirectTo(`https://${variables.host}${suffix}${escapedTarget(variables)}`, status, 'https-redirect');
  };
}

const invalidHost: LocalReply = {
  status: 400,
  headers: ['Content-Length', '0'],
  body: null,
  reason: 'invalid-host',
  error: 'http_request_error',
};

function escapedTarget({ path, query }: Variables): string {
  const target = path.startsWith('/') ? translate(path, URL_PATH) : '/';
  return query === null ? target : `${target}?${translate(query, URL_QUERY)}`;
}
