import type { Config } from '../../config/schema/config.ts';
import type { OidcConfig } from '../../config/schema/policy/auth-oidc.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import { canonicalProblem } from '../../routing/canonical-text.ts';
import { compilePath, pathMatches } from '../../routing/path-pattern.ts';
import type { PolicyContext } from './policy-kind.ts';
import { type PolicyPlace, placesOf } from './standing.ts';

/** Paths that the policy answers itself, on whatever route takes them. */
export interface OwnPaths {
  readonly redirectPath: string;
  readonly logoutPath: string;
}

/** Whom a policy is for. */
interface Users {
  readonly routes: readonly RouteConfig[];
  /** On some listener it also has what no route takes. */
  readonly everything: boolean;
}

const HOME = '/.headgate/oidc';

/**
 * Where the login ends and where the logout is: below the prefix of the policy's own route, else at the root. `null` after a complaint: a path that comes
 * to none of the routes with the policy would be a login that never ends.
 */
export function ownPaths(oidc: OidcConfig, context: PolicyContext): OwnPaths | null {
  const users = usersOf(context.config, oidc);
  const home = `${homePrefix(users, oidc)}${HOME}`;
  const paths = {
    redirectPath: oidc.redirectPath ?? `${home}/callback`,
    logoutPath: oidc.logoutPath ?? `${home}/logout`,
  };
  let isSound = true;
  const complain = (key: keyof OwnPaths, message: string): void => {
    isSound = false;
    context.complain(oidc[key] === undefined ? [] : [key], { message });
  };
  for (const key of ['redirectPath', 'logoutPath'] as const) {
    const path = paths[key];
    const problem = canonicalProblem(path);
    if (problem !== null) complain(key, problem);
    else if (!isTaken(users, path)) complain(key, `no route with this login takes ${path}: ${remedy(key)}`);
  }
  if (paths.redirectPath === paths.logoutPath) complain('logoutPath', 'login and logout need a path each');
  return isSound ? paths : null;
}

function remedy(key: keyof OwnPaths): string {
  const why = key === 'redirectPath' ? 'where the provider sends browsers back to' : 'where the logout is';
  return `give ${key}, ${why}, a path that one takes, or include the policy in a route for it`;
}

/** Nobody has it in a configuration that is compiled in part. */
function isTaken({ routes, everything }: Users, path: string): boolean {
  return everything || routes.length === 0 || routes.some((route) => takes(route, path));
}

function takes({ match }: RouteConfig, path: string): boolean {
  if (match.method !== undefined && !match.method.includes('GET')) return false;
  if (match.path === undefined) return true;
  const compiled = compilePath(match.path);
  return compiled.ok && pathMatches(compiled.path, path);
}

/** A group is for routes with all kinds of paths. */
function homePrefix({ routes }: Users, oidc: OidcConfig): string {
  const [route] = routes;
  if (route?.match.path?.kind !== 'prefix' || !isOwn(route, oidc)) return '';
  return route.match.path.value.replace(/\/$/, '');
}

function isOwn({ auth }: RouteConfig, oidc: OidcConfig): boolean {
  return auth !== undefined && auth !== false && auth.oidc === oidc;
}

function usersOf(config: Config, oidc: OidcConfig): Users {
  const has = (places: readonly PolicyPlace[]): boolean => {
    const auth = places.flatMap(({ set }) => set.auth ?? []).at(-1);
    return auth !== undefined && auth !== false && auth.oidc === oidc;
  };
  const listeners = Object.keys(config.listeners);
  const isUser = (route: RouteConfig): boolean => {
    const place = { path: [], owner: '', captures: [], set: { auth: route.auth } };
    const own = { use: route.use, place };
    return (
      has(placesOf(config, own, null)) ||
      (route.listeners ?? listeners).some((name) => has(placesOf(config, own, name)))
    );
  };
  return {
    routes: config.routes.filter(isUser),
    everything: listeners.some((name) => has(placesOf(config, null, name))),
  };
}
