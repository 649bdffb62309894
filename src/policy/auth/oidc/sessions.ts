import type { Clock } from '../../../clock.ts';
import type { HeaderList } from '../../../http/headers.ts';
import type { PolicyRequest } from '../../admit.ts';
import { claimText, userOf } from '../../identity.ts';
import type { AuthResult } from '../authenticator.ts';
import { LOGIN_MS, type LoginAttempt, loginId, OTHER_LOGINS } from './login-attempt.ts';
import { originOf, schemeOf } from './origin.ts';
import type { ProviderTokens } from './provider.ts';
import type { Seal } from './seal.ts';
import { keptClaims, type OidcSession, readSession, type SessionLimits, sessionEnd } from './session.ts';
import { type CookieOptions, SessionCookies } from './session-cookie.ts';

export interface SessionsOptions {
  readonly clock: Clock;
  /** Of sessions, and of logins under way. */
  readonly seals: { readonly session: Seal; readonly login: Seal };
  /** What they are for: whatever else is configured, they do not open there. */
  readonly label: string;
  readonly cookie: CookieOptions;
  readonly limits: SessionLimits;
  /** `https://shop.example`; `null`: as requests say. */
  readonly origin: string | null;
  /** Names of the claims that are kept, and of the one that is the user's name. */
  readonly claims: readonly string[];
  readonly userClaim: string;
  readonly forwardToken: 'none' | 'access' | 'id';
}

/** A session that was read from a request. */
export interface FoundSession {
  readonly session: OidcSession;
  /** Sealed with the first of the secrets. */
  readonly isCurrent: boolean;
}

/** New tokens are fetched this long before the old ones end, or a fifth of their life. */
const LEEWAY_MS = 30_000;

/** Sessions and logins of one policy, in the cookies of its clients: nothing of them is kept here. */
export class Sessions {
  readonly #options: SessionsOptions;
  readonly #secure: SessionCookies;
  readonly #plain: SessionCookies;

  constructor(options: SessionsOptions) {
    this.#options = options;
    this.#secure = new SessionCookies(options.cookie, true);
    this.#plain = new SessionCookies(options.cookie, false);
  }

  origin(request: PolicyRequest): string | null {
    return originOf(request, this.#options.origin);
  }

  cookies(request: PolicyRequest): SessionCookies {
    const { origin } = this.#options;
    const isSecure = origin === null ? schemeOf(request) === 'https' : origin.startsWith('https:');
    return isSecure ? this.#secure : this.#plain;
  }

  /** That of the request, also one that has ended; `null` for none, and for a forged one. */
  any(request: PolicyRequest): FoundSession | null {
    const sealed = this.cookies(request).session(request.request.headers);
    if (sealed === null) return null;
    const opened = this.#options.seals.session.open(sealed, this.#options.label);
    return opened === null ? null : { session: readSession(opened.text), isCurrent: opened.isCurrent };
  }

  /** The same, as long as it may be used. */
  valid(request: PolicyRequest): FoundSession | null {
    const found = this.any(request);
    if (found === null) return null;
    return sessionEnd(found.session, this.#options.limits) > this.#options.clock.now() ? found : null;
  }

  /** Has the response set it. `false`: it is too long, also without what only the provider's logout wants to know. */
  keep(request: PolicyRequest, session: OidcSession): boolean {
    const { seals, label, limits, clock } = this.#options;
    const maxAgeMs = sessionEnd(session, limits) - clock.now();
    const cookies = this.cookies(request);
    for (const shorter of [session, { ...session, idToken: null }]) {
      const sealed = seals.session.seal(JSON.stringify(shorter), label);
      const fields = cookies.setSession(sealed, request.request.headers, maxAgeMs);
      if (fields !== null) {
        addCookies(request, fields);
        // Set-Cookie alone keeps no cache before us from storing it for everybody (RFC 9111 §7.3).
        request.addResponseField('Cache-Control', 'private');
        return true;
      }
    }
    return false;
  }

  /** One that begins with what the provider gave; `null` where it does not say the user's name. */
  begin({ claims, ...tokens }: ProviderTokens): OidcSession | null {
    const now = this.#options.clock.now();
    const user = this.#user(claims ?? {});
    if (claims === null || user === '') return null;
    const subject = claimText(claims, 'sub');
    const kept = { user, claims: keptClaims(claims, this.#options.claims) };
    return { subject, ...kept, startedAt: now, seenAt: now, idToken: tokens.idToken, ...this.#tokens(tokens, null) };
  }

  /** The same session with new tokens, and what they say of the user. */
  renewed(session: OidcSession, { claims, ...tokens }: ProviderTokens): OidcSession {
    const now = this.#options.clock.now();
    const user = claims === null ? '' : this.#user(claims);
    // A refresh may bring less than the login: then what that said goes on.
    const said = claims === null || user === '' ? {} : { user, claims: keptClaims(claims, this.#options.claims) };
    const idToken = tokens.idToken ?? session.idToken;
    return { ...session, ...said, seenAt: now, idToken, ...this.#tokens(tokens, session) };
  }

  /** Has the response set what a login needs when its browser comes back. */
  keepLogin(request: PolicyRequest, attempt: LoginAttempt): void {
    const { seals, label } = this.#options;
    const id = loginId(attempt.state) as string;
    const sealed = seals.login.seal(JSON.stringify(attempt), label);
    const keep = { maxAgeMs: LOGIN_MS, others: OTHER_LOGINS };
    addCookies(request, this.cookies(request).setLogin(id, sealed, request.request.headers, keep));
  }

  /** `null` for none that is called `id`, and for a forged one. */
  login(request: PolicyRequest, id: string): LoginAttempt | null {
    const sealed = this.cookies(request).login(request.request.headers, id);
    const opened = sealed === null ? null : this.#options.seals.login.open(sealed, this.#options.label);
    return opened === null ? null : (JSON.parse(opened.text) as LoginAttempt);
  }

  #user(claims: Readonly<Record<string, unknown>>): string {
    return userOf(claims, this.#options.userClaim);
  }

  #tokens(
    { accessToken, idToken, refreshToken, expiresInMs }: Omit<ProviderTokens, 'claims'>,
    before: OidcSession | null,
  ): Pick<OidcSession, 'refreshAt' | 'expiresAt' | 'refreshToken' | 'forwarded'> {
    const now = this.#options.clock.now();
    const { forwardToken } = this.#options;
    const forwarded =
      forwardToken === 'access' ? accessToken : forwardToken === 'id' ? (idToken ?? before?.forwarded) : null;
    const refreshAt = expiresInMs === null ? null : now + expiresInMs - Math.min(LEEWAY_MS, expiresInMs / 5);
    return {
      refreshAt,
      expiresAt: expiresInMs === null ? null : now + expiresInMs,
      // Providers that let one be used more than once do not repeat it.
      refreshToken: refreshToken ?? before?.refreshToken ?? null,
      forwarded: forwarded ?? null,
    };
  }
}

export function addCookies(request: PolicyRequest, fields: HeaderList): void {
  for (const field of fields) request.addResponseField('Set-Cookie', field);
}

/** Waits for `answer`, which never rejects, and says what comes of it; nothing once the client is gone. */
export function asked<T>(whom: string, answer: () => Promise<T>, then: (value: T) => AuthResult): AuthResult {
  let isGone = false;
  return {
    kind: 'ask',
    whom,
    begin: (done) => {
      void answer().then((value) => {
        if (!isGone) done(then(value));
      });
    },
    cancel: () => {
      isGone = true;
    },
  };
}
