import { claimOf } from '../../identity.ts';

/** What is known of somebody who logged in, as it stands sealed in the cookie. Times in epoch milliseconds. */
export interface OidcSession {
  /** `sub` of the provider: never another one in the same session. */
  readonly subject: string;
  readonly user: string;
  /** The configured ones alone. */
  readonly claims: Readonly<Record<string, unknown>>;
  readonly startedAt: number;
  /** When it was sealed last. */
  readonly seenAt: number;
  /** When new tokens are worth while, and when those that there are end; `null` where the provider does not say. */
  readonly refreshAt: number | null;
  readonly expiresAt: number | null;
  readonly refreshToken: string | null;
  /** What goes to the endpoint; `null` where none does. */
  readonly forwarded: string | null;
  /** For the provider's logout. */
  readonly idToken: string | null;
}

export interface SessionLimits {
  /** Since the last request, and since the login. */
  readonly idleMs: number;
  readonly absoluteMs: number;
}

/** Until when a session that is sealed at `seenAt` can be used. */
export function sessionEnd({ startedAt, seenAt }: OidcSession, { idleMs, absoluteMs }: SessionLimits): number {
  return Math.min(seenAt + idleMs, startedAt + absoluteMs);
}

/** Names by which claims are kept may be paths, `realm_access.roles`: they are found again under them. */
export function keptClaims(
  claims: Readonly<Record<string, unknown>>,
  names: readonly string[],
): Record<string, unknown> {
  const found = names.map((name) => [name, claimOf(claims, name)] as const);
  return Object.fromEntries(found.filter(([, value]) => value !== undefined && value !== null));
}

/** What was sealed with the version of its shape in the label is of that shape. */
export function readSession(text: string): OidcSession {
  return JSON.parse(text) as OidcSession;
}
