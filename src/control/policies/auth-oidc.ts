import { createHmac, randomBytes } from 'node:crypto';
import type { OidcConfig } from '../../config/schema/policy/auth-oidc.ts';
import type { Authenticator } from '../../policy/auth/authenticator.ts';
import { OidcAuthenticator } from '../../policy/auth/oidc/oidc.ts';
import { Refreshes } from '../../policy/auth/oidc/refreshes.ts';
import { Seal } from '../../policy/auth/oidc/seal.ts';
import { Sessions } from '../../policy/auth/oidc/sessions.ts';
import type { PolicyState } from '../../policy/policy-state.ts';
import { readAuthorities } from './authorities.ts';
import { OidcClient } from './oidc-client.ts';
import { providerFetch } from './oidc-fetch.ts';
import { cookieNameOf, sessionLabel } from './oidc-names.ts';
import { ownPaths } from './oidc-paths.ts';
import type { PolicyContext } from './policy-kind.ts';

/** Of everybody who is logged in by one policy: it outlives reloads, or nobody would stay logged in. */
interface OidcSessionState extends PolicyState {
  readonly secret: string;
  readonly refreshes: Refreshes;
}

/** Ids are not secret, and what they are made of is. */
const SALT = randomBytes(32);

/** Nobody is on the way to these. */
const LOCAL = /^(localhost|.*\.localhost|127(\.\d+){3}|\[::1\])$/;

/** Compiles `auth.oidc`; `null` after a complaint. */
export function oidcWay(config: OidcConfig, context: PolicyContext): Authenticator | null {
  const { clock } = context.world;
  const isCareful = isTrustworthy(config, context) && isTaken(config, context) && keepsWhatIsRequired(config, context);
  const paths = ownPaths(config, context);
  const provider = providerOf(config, context);
  if (!isCareful || paths === null || provider === null) return null;
  const label = sessionLabel(config);
  const state = context.state<OidcSessionState>(`oidc sessions ${label}`, () => ({
    id: `oidc sessions ${label}`,
    secret: context.secrets.of(`oidc ${label}`),
    refreshes: new Refreshes(clock),
  }));
  const secrets = config.sessionSecret ?? [state.secret];
  const limits = { idleMs: config.session.idle, absoluteMs: config.session.absolute };
  const { domain = null, path, sameSite } = config.cookie;
  const { claims, userClaim, forwardToken, clientId } = config;
  const sessions = new Sessions({
    ...{ clock, label, limits, claims, userClaim, forwardToken },
    seals: { session: new Seal(secrets, 'oidc session 1'), login: new Seal(secrets, 'oidc login 1') },
    cookie: { name: cookieNameOf(config), domain, path, sameSite },
    origin: config.origin ?? null,
  });
  const scope = [...new Set(['openid', ...config.scopes])].join(' ');
  return new OidcAuthenticator({
    ...{ clock, provider, sessions, limits, clientId, ...paths },
    refreshes: state.refreshes,
    parameters: { ...config.parameters, scope },
    forwardsToken: forwardToken !== 'none',
    afterLogout: config.afterLogout ?? null,
  });
}

function isTrustworthy({ issuer, insecure }: OidcConfig, context: PolicyContext): boolean {
  if (!issuer.startsWith('http:') || insecure || LOCAL.test(new URL(issuer).hostname)) return true;
  const message = 'whoever is on the way could log in as anybody: use https, or say insecure: true';
  context.complain(['issuer'], { message });
  return false;
}

/** RFC 6265bis §4.1.3.2. */
function isTaken({ cookie: { name = '', domain, path } }: OidcConfig, context: PolicyContext): boolean {
  if (!name.startsWith('__Host-') || (domain === undefined && path === '/')) return true;
  context.complain(['cookie', 'name'], { message: 'browsers take no __Host- cookie with a domain or a path' });
  return false;
}

/** What is not kept is not there, and nobody would ever come in. */
function keepsWhatIsRequired(oidc: OidcConfig, { config, complain }: PolicyContext): boolean {
  const places = [...config.routes, ...Object.values(config.policies)];
  const auth = places
    .map((place) => place.auth)
    .find((given) => given !== undefined && given !== false && given.oidc === oidc);
  const required = auth === undefined || auth === false ? [] : Object.keys(auth.require?.claims ?? {});
  const isKept = (name: string): boolean => oidc.claims.some((kept) => name === kept || name.startsWith(`${kept}.`));
  const missing = required.find((name) => !isKept(name));
  if (missing === undefined) return true;
  complain(['claims'], { message: `“${missing}” is required, and not among the claims that are kept` });
  return false;
}

/** `null` after a complaint. */
function providerOf(config: OidcConfig, context: PolicyContext): OidcClient | null {
  const { clock, http, observer } = context.world;
  const { issuer, clientId, clientSecret = null, clientAuthentication, userinfo, ca: file, timeout } = config;
  const ca = file === undefined ? null : readAuthorities(file, ['ca'], context);
  if (ca === undefined) return null;
  const meaning = [issuer, clientId, clientSecret, clientAuthentication, userinfo, ca, timeout];
  const id = `oidc provider ${issuer} ${createHmac('sha256', SALT).update(JSON.stringify(meaning)).digest('hex')}`;
  return context.state(
    id,
    () =>
      new OidcClient({
        ...{ id, issuer, clientId, clientSecret, clientAuthentication, userinfo, clock, observer },
        owner: context.owner,
        fetch: providerFetch(http, { ca, timeoutMs: timeout }),
      }),
  );
}
