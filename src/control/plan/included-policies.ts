import type { Config } from '../../config/schema/config.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import { placesOf, standing } from '../policies/standing.ts';

/** Policies that hold on a route by groups, of its own or of its listeners, by key path (`policies.staff.auth`), each as text to be compared. */
function includedPolicies(config: Config, route: RouteConfig): ReadonlyMap<string, string> {
  const own = { path: [], owner: '', captures: [], set: route };
  const included = { use: route.use, place: own };
  const listeners = route.listeners ?? Object.keys(config.listeners);
  const all = [null, ...listeners].flatMap((listener) => standing(placesOf(config, included, listener)));
  return new Map(
    all
      .filter(({ place }) => place !== own)
      .map(({ key, place, config: policy }) => [[...place.path, key].join('.'), JSON.stringify(policy)]),
  );
}

/** Those of them that are otherwise in the next configuration: key paths of what was added, removed or changed. */
export function changedIncluded(
  before: { readonly config: Config; readonly route: RouteConfig },
  next: { readonly config: Config; readonly route: RouteConfig },
): readonly string[] {
  const was = includedPolicies(before.config, before.route);
  const will = includedPolicies(next.config, next.route);
  return [...new Set([...was.keys(), ...will.keys()])].filter((path) => was.get(path) !== will.get(path));
}
