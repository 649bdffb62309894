import { AUTH_WAYS, type AuthConfig, type AuthWay } from '../../config/schema/policy/auth.ts';
import type { AuthRequireConfig } from '../../config/schema/policy/auth-require.ts';
import type { AdmitPolicy } from '../../policy/admit.ts';
import { authPolicy } from '../../policy/auth/auth-policy.ts';
import type { Authenticator } from '../../policy/auth/authenticator.ts';
import { compileIdentityFields } from '../../policy/auth/identity-fields.ts';
import { compileRequire } from '../../policy/auth/require.ts';
import { apiKeyWay } from './auth-api-key.ts';
import { basicWay } from './auth-basic.ts';
import { oidcWay } from './auth-oidc.ts';
import { compileForward } from './forward-auth/compile-forward.ts';
import { compileJwt } from './jwt/compile-jwt.ts';
import type { PolicyContext, PolicyKind } from './policy-kind.ts';

/** One way to authenticate; it complains from the key of the way on: `['file']`. `null` after a complaint. */
export type CompileWay<C> = (config: C, context: PolicyContext) => Authenticator | null;

type Given<W extends AuthWay> = NonNullable<AuthConfig[W]>;

/** What each key of `auth` that is a way to authenticate is compiled by. */
const AUTHENTICATORS: { readonly [W in AuthWay]: CompileWay<Given<W>> } = {
  basic: basicWay,
  apiKey: apiKeyWay,
  oidc: oidcWay,
  jwt: compileJwt,
  forward: compileForward,
};

export const authKind: PolicyKind<AuthConfig> = {
  merge: 'nearest',
  words: (config) => waysIn(config).join(config.satisfy === 'all' ? ' and ' : ' or '),
  compile: (config, context) => {
    const named = waysIn(config);
    const ways = named.flatMap((way) => compileWay(config, way, context) ?? []);
    const written = compileIdentityFields(config.headers, context.captures);
    if (!written.ok) {
      for (const { path, message } of written.problems) context.complain(['headers', ...path], { message });
      return null;
    }
    const clash = clashIn(config);
    if (clash !== null) context.complain(['apiKey', 'scheme'], { message: clash });
    const required = config.require === undefined ? [] : requirement(config.require, context);
    if (ways.length < named.length || required === null || clash !== null) return null;
    const { satisfy } = config;
    return {
      admit: [authPolicy({ ways, satisfy, writeIdentity: written.value }), ...required],
      identityFields: [...Object.keys(config.headers), ...ways.flatMap((way) => way.identityFields ?? [])],
    };
  },
};

function requirement(config: AuthRequireConfig, context: PolicyContext): readonly AdmitPolicy[] | null {
  const compiled = compileRequire({ claims: config.claims, users: config.users ?? null });
  if (compiled.ok) return [compiled.value];
  for (const { path, message } of compiled.problems) context.complain(['require', ...path], { message });
  return null;
}

/** Two ways that read the same credentials: the first would refuse what the second knows. */
function clashIn({ apiKey, jwt }: AuthConfig): string | null {
  const isBearer = apiKey?.scheme?.toLowerCase() === 'bearer' && apiKey.header.toLowerCase() === 'authorization';
  const clashes = isBearer && jwt?.from.includes('bearer') === true;
  return clashes ? 'jwt reads Authorization: Bearer too: let keys or tokens come by another field' : null;
}

function waysIn(config: AuthConfig): readonly AuthWay[] {
  return AUTH_WAYS.filter((way) => config[way] !== undefined);
}

function compileWay(config: AuthConfig, way: AuthWay, context: PolicyContext): Authenticator | null {
  const within: PolicyContext = {
    ...context,
    complain: (path, complaint) => context.complain([way, ...path], complaint),
    file: (file, path, parse) => context.file(file, [way, ...path], parse),
  };
  // The table is typed key by key, which a loop over the keys can't say.
  return (AUTHENTICATORS[way] as CompileWay<unknown>)(config[way], within);
}
