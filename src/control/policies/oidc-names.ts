import { createHash } from 'node:crypto';
import type { Config } from '../../config/schema/config.ts';
import type { OidcConfig } from '../../config/schema/policy/auth-oidc.ts';

/**
 * What a session means: it opens nothing that asks for another provider, other claims or another way to log in. Policies that are alike in this share their
 * sessions, whichever routes they stand on.
 */
export function sessionLabel(config: OidcConfig): string {
  const { issuer, clientId, scopes, parameters, userinfo, claims, userClaim, forwardToken } = config;
  const meaning = [issuer, clientId, scopes, parameters, userinfo, claims, userClaim, forwardToken];
  return createHash('sha256').update(JSON.stringify(meaning)).digest('hex').slice(0, 32);
}

/** Name of the session's cookie, before anything that TLS puts before it. */
export function cookieNameOf(config: OidcConfig): string {
  return config.cookie.name ?? `headgate-${sessionLabel(config).slice(0, 8)}`;
}

/**
 * Names of all cookies of sessions, also of what can't be compiled, as browsers may send them; `null` for none. They are for us alone: whoever else on the host
 * got them could be anybody who comes by.
 */
export function sessionCookieNames({ routes, policies }: Config): readonly string[] | null {
  const auths = [...routes, ...Object.values(policies)].flatMap(({ auth }) => auth ?? []);
  const names = auths.flatMap((auth) => (auth === false || auth.oidc === undefined ? [] : cookieNameOf(auth.oidc)));
  return names.length === 0 ? null : [...new Set(names.flatMap((name) => [name, `__Host-${name}`]))];
}
