import type { LoginAttempt } from './login-attempt.ts';

/** What a provider gave. */
export interface ProviderTokens {
  /** Of the ID token, verified, and of the user info where that is asked for; `null` where a refresh brought none. */
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly accessToken: string;
  readonly idToken: string | null;
  readonly refreshToken: string | null;
  /** How long the access token lasts; `null` where nobody says. */
  readonly expiresInMs: number | null;
}

/** `denied`: the user or the provider does not want to. `refused`: what was brought is not, or no longer, good. */
export type ProviderFailure = 'unavailable' | 'denied' | 'refused';

export type ProviderAnswer<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly why: ProviderFailure };

/** What it says of itself (OpenID Connect Discovery 1.0 §4.3). */
export interface ProviderPages {
  /** Absolute URL, ASCII. */
  loginUrl(parameters: Readonly<Record<string, string>>): string;
  /** `null` for one that has no logout. */
  logoutUrl(parameters: Readonly<Record<string, string>>): string | null;
}

/** Who logs people in. Every answer comes within a bounded time; no promise rejects. */
export interface OidcProvider {
  /** For people: `OpenID provider https://login.example`. */
  readonly whom: string;
  readonly issuer: string;
  /** `null` before it was asked. */
  readonly pages: ProviderPages | null;
  discover(): Promise<ProviderAnswer<ProviderPages>>;
  /** `callback` is the whole URL that the browser was sent back to. */
  redeem(callback: string, attempt: LoginAttempt): Promise<ProviderAnswer<ProviderTokens>>;
  /** `subject`: whose it is. */
  refresh(refreshToken: string, subject: string): Promise<ProviderAnswer<ProviderTokens>>;
}
