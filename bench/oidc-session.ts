import { configFromObject } from '../src/config/load.ts';
import { cookieNameOf, sessionLabel } from '../src/control/policies/oidc-names.ts';
import { Seal } from '../src/policy/auth/oidc/seal.ts';
import type { OidcSession } from '../src/policy/auth/oidc/session.ts';
import { SessionCookies } from '../src/policy/auth/oidc/session-cookie.ts';

const SECRET = 'the secret of a session in a bench';

/** No provider is asked: who has a session needs none. */
export const benchLogin = {
  issuer: 'http://127.0.0.1:9/',
  clientId: 'bench',
  session: { idle: '1d', absolute: '30d' },
  sessionSecret: SECRET,
};

/** `Cookie` of somebody who has logged in, with what Keycloak hands out. */
export function benchCookie(): string {
  const loaded = configFromObject({
    listeners: { web: { port: 0 } },
    routes: [{ respond: {}, auth: { oidc: benchLogin } }],
  });
  const auth = loaded.ok ? loaded.config.routes[0]?.auth : undefined;
  if (auth === undefined || auth === false || auth.oidc === undefined)
    throw new Error('The login of the bench is none');
  const now = Date.now();
  const session: OidcSession = {
    subject: 'f:550e8400-e29b-41d4-a716-446655440000:ann',
    user: 'ann',
    claims: { sub: 'ann', email: 'ann@shop.test', groups: ['staff', 'admin'] },
    startedAt: now,
    seenAt: now,
    refreshAt: null,
    expiresAt: null,
    refreshToken: 'x'.repeat(900),
    forwarded: null,
    idToken: 'x'.repeat(1_200),
  };
  const label = sessionLabel(auth.oidc);
  const sealed = new Seal([SECRET], 'oidc session 1').seal(JSON.stringify(session), label);
  const options = { name: cookieNameOf(auth.oidc), domain: null, path: '/', sameSite: 'lax' } as const;
  const fields = new SessionCookies(options, false).setSession(sealed, [], 1_000) ?? [];
  return fields.map((field) => field.slice(0, field.indexOf(';'))).join('; ');
}
