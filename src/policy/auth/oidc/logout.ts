import type { PolicyRequest } from '../../admit.ts';
import type { AuthResult } from '../authenticator.ts';
import { isOwnDoing } from './navigation.ts';
import { confirmLogout, loggedOut, sendTo } from './pages.ts';
import type { OidcProvider, ProviderPages } from './provider.ts';
import { foreignLogout, methodNotAllowed } from './refusals.ts';
import { addCookies, asked, type Sessions } from './sessions.ts';

export interface LogoutParts {
  readonly sessions: Sessions;
  readonly provider: OidcProvider;
  readonly clientId: string;
  /** A path of this host; `null`: whoever ends it has a page for it. */
  readonly afterLogout: string | null;
}

/**
 * Ends the session here and at the provider (OpenID Connect RP-Initiated Logout 1.0 §2). A page of this origin may do so by a link or a form; who comes from
 * elsewhere is asked first, or any site could log people out by an image. A provider that does not answer does not keep anybody logged in here.
 */
export function logOut(request: PolicyRequest, parts: LogoutParts): AuthResult {
  const { sessions, provider } = parts;
  const { method } = request.request;
  const origin = sessions.origin(request);
  if (method !== 'GET' && method !== 'HEAD' && method !== 'POST') {
    return { kind: 'refused', error: methodNotAllowed('GET, HEAD, POST') };
  }
  if (origin === null || !isOwnDoing(request.request, origin)) {
    return method === 'POST' ? { kind: 'refused', error: foreignLogout() } : { kind: 'reply', reply: confirmLogout };
  }
  // As the login is told: nothing is asked for, and no token stands in an explanation.
  if (request.hypothetical) return { kind: 'reply', reply: sendTo(provider.issuer, 303, 'logout') };
  const idToken = sessions.any(request)?.session.idToken ?? null;
  const leave = (pages: ProviderPages | null): AuthResult => {
    addCookies(request, sessions.cookies(request).clear(request.request.headers));
    return farewell(pages, { ...parts, origin, idToken });
  };
  const { pages } = provider;
  if (pages !== null) return leave(pages);
  return asked(
    provider.whom,
    () => provider.discover(),
    (answer) => leave(answer.ok ? answer.value : null),
  );
}

function farewell(
  pages: ProviderPages | null,
  {
    clientId,
    afterLogout,
    origin,
    idToken,
  }: LogoutParts & { readonly origin: string; readonly idToken: string | null },
): AuthResult {
  const url =
    pages?.logoutUrl({
      client_id: clientId,
      ...(idToken === null ? {} : { id_token_hint: idToken }),
      ...(afterLogout === null ? {} : { post_logout_redirect_uri: `${origin}${afterLogout}` }),
    }) ?? afterLogout;
  return { kind: 'reply', reply: url === null ? loggedOut : sendTo(url, 303, 'logout') };
}
