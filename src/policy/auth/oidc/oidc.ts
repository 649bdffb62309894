import type { Clock } from '../../../clock.ts';
import type { PolicyRequest } from '../../admit.ts';
import type { Identity } from '../../identity.ts';
import { toOctets } from '../../octets.ts';
import type { Authenticator, AuthResult } from '../authenticator.ts';
import { comeBack } from './callback.ts';
import { beginLogin, challengeOf } from './login-attempt.ts';
import { logOut } from './logout.ts';
import { isNavigation, returnTarget } from './navigation.ts';
import { sendTo } from './pages.ts';
import type { OidcProvider, ProviderPages } from './provider.ts';
import type { Refreshed, Refreshes } from './refreshes.ts';
import { loginRequired, providerUnavailable } from './refusals.ts';
import type { OidcSession, SessionLimits } from './session.ts';
import { asked, type FoundSession, type Sessions } from './sessions.ts';

export interface OidcOptions {
  readonly clock: Clock;
  readonly provider: OidcProvider;
  readonly sessions: Sessions;
  readonly refreshes: Refreshes;
  readonly limits: SessionLimits;
  readonly clientId: string;
  /** Endpoints take `Authorization` for a token of the provider. */
  readonly forwardsToken: boolean;
  /** Of every request for a login, beside what OpenID Connect wants. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Canonical paths of the route that are ours. */
  readonly redirectPath: string;
  readonly logoutPath: string;
  readonly afterLogout: string | null;
}

/** A session that is used is sealed again so often while it could go idle; not for each of a page's requests. */
const SEALS_PER_IDLE_TIME = 10;

/**
 * Login at an OpenID provider by the authorisation code flow with PKCE (OpenID Connect Core 1.0 §3.1, RFC 9700 §2.1), kept in a sealed cookie.
 * Holds nothing of anybody.
 */
export class OidcAuthenticator implements Authenticator {
  readonly scheme = 'oidc';
  readonly credentialFields: readonly string[];
  readonly #options: OidcOptions;

  constructor(options: OidcOptions) {
    this.#options = options;
    this.credentialFields = options.forwardsToken ? ['authorization'] : [];
  }

  presents(request: PolicyRequest): boolean {
    const { redirectPath, logoutPath, sessions } = this.#options;
    if (request.path === redirectPath || request.path === logoutPath) return true;
    return sessions.cookies(request).hasSession(request.request.headers);
  }

  authenticate(request: PolicyRequest): AuthResult {
    const { redirectPath, logoutPath, sessions, clock } = this.#options;
    if (request.path === redirectPath) return comeBack(request, this.#options);
    if (request.path === logoutPath) return logOut(request, this.#options);
    const found = sessions.valid(request);
    if (found === null) return this.#login(request);
    const { refreshAt, refreshToken, forwarded, expiresAt } = found.session;
    const now = clock.now();
    if (refreshToken !== null && refreshAt !== null && refreshAt <= now && !request.hypothetical) {
      return this.#refresh(request, found, refreshToken);
    }
    // An endpoint could do nothing with it.
    const isSpent = forwarded !== null && refreshToken === null && expiresAt !== null && expiresAt <= now;
    return isSpent ? this.#login(request) : this.#known(request, found);
  }

  #known(request: PolicyRequest, { session, isCurrent }: FoundSession): AuthResult {
    const { sessions, limits, clock } = this.#options;
    const now = clock.now();
    const isOld = now - session.seenAt > limits.idleMs / SEALS_PER_IDLE_TIME;
    if ((isOld || !isCurrent) && !request.hypothetical) sessions.keep(request, { ...session, seenAt: now });
    return { kind: 'known', identity: this.#identity(session) };
  }

  #identity({ user, claims, forwarded }: OidcSession): Identity {
    return {
      scheme: 'oidc',
      user: toOctets(user),
      claims,
      fields: forwarded === null ? [] : ['Authorization', `Bearer ${forwarded}`],
      removes: forwarded === null ? null : ['authorization'],
      // No endpoint sees the session, on whatever route (`sessionCookies` of the snapshot).
      cookie: null,
      seesCredentials: forwarded !== null,
    };
  }

  #refresh(request: PolicyRequest, found: FoundSession, refreshToken: string): AuthResult {
    const { provider, refreshes } = this.#options;
    const { session } = found;
    return asked(
      provider.whom,
      () => refreshes.once(refreshToken, () => provider.refresh(refreshToken, session.subject)),
      (answer) => this.#refreshed(request, found, answer),
    );
  }

  #refreshed(request: PolicyRequest, found: FoundSession, answer: Refreshed): AuthResult {
    const { sessions } = this.#options;
    if (!answer.ok) {
      // A provider that is down says nothing of this user: the session goes on until it ends by itself.
      if (answer.why === 'unavailable') return this.#known(request, found);
      // Another process may just have used the token, and the browser is about to get what that brought.
      const { expiresAt } = found.session;
      const isOver = expiresAt === null || expiresAt <= this.#options.clock.now();
      return isOver ? this.#login(request) : this.#known(request, found);
    }
    const session = sessions.renewed(found.session, answer.value);
    if (!sessions.keep(request, session)) return this.#login(request);
    return { kind: 'known', identity: this.#identity(session) };
  }

  #login(request: PolicyRequest): AuthResult {
    const { provider } = this.#options;
    if (!isNavigation(request.request)) return { kind: 'refused', error: loginRequired() };
    if (request.hypothetical) return { kind: 'reply', reply: sendTo(provider.issuer, 302, 'login-redirect') };
    if (provider.pages !== null) return this.#sendToLogin(request, provider.pages);
    return asked(
      provider.whom,
      () => provider.discover(),
      (answer) => (answer.ok ? this.#sendToLogin(request, answer.value) : unavailable),
    );
  }

  #sendToLogin(request: PolicyRequest, pages: ProviderPages): AuthResult {
    const { clock, sessions, parameters, redirectPath } = this.#options;
    const origin = sessions.origin(request);
    if (origin === null) return { kind: 'refused', error: loginRequired() };
    const attempt = beginLogin(returnTarget(request.path, request.query), clock.now());
    sessions.keepLogin(request, attempt);
    const url = pages.loginUrl({
      ...parameters,
      response_type: 'code',
      redirect_uri: `${origin}${redirectPath}`,
      state: attempt.state,
      nonce: attempt.nonce,
      code_challenge: challengeOf(attempt),
      code_challenge_method: 'S256',
    });
    return { kind: 'reply', reply: sendTo(url, 302, 'login-redirect') };
  }
}

const unavailable: AuthResult = { kind: 'refused', error: providerUnavailable() };
