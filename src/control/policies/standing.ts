import type { Config } from '../../config/schema/config.ts';
import { POLICY_KEYS, type PolicyKey, type PolicySetConfig } from '../../config/schema/policy/policy-set.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import type { KeyPath } from '../complaints.ts';
import { KINDS } from './kinds.ts';

/** Somewhere policies stand: a group, or a route. */
export interface PolicyPlace {
  readonly path: KeyPath;
  /** Whose they are, and what their live state is known by. */
  readonly owner: string;
  /** What the path of the route captures; none in a group. */
  readonly captures: readonly string[];
  readonly set: Readonly<Partial<PolicySetConfig>>;
}

/** A policy that counts, and where it stands. */
export interface StandingPolicy {
  readonly key: PolicyKey;
  readonly config: unknown;
  readonly place: PolicyPlace;
}

/** The place of a group. */
export function groupPlace(name: string, set: PolicySetConfig): PolicyPlace {
  return { path: ['policies', name], owner: `group ${name}`, captures: [], set };
}

/** Where policies for a route come from on a listener, the farthest first: groups of the listener, of the route, the route itself. Either may be missing. */
export function placesOf(
  config: Config,
  route: { readonly use: RouteConfig['use']; readonly place: PolicyPlace } | null,
  listener: string | null,
): readonly PolicyPlace[] {
  const there = listener === null ? undefined : config.listeners[listener]?.use;
  const own = new Set(route?.use);
  // One that the route includes too has its place there.
  const names = [...[...new Set(there)].filter((name) => !own.has(name)), ...own];
  const groups = names.flatMap((name) => {
    const set = config.policies[name];
    // An unknown name was refused when the configuration was loaded.
    return set === undefined ? [] : [groupPlace(name, set)];
  });
  return route === null ? groups : [...groups, route.place];
}

/** What counts of policies that may stand in several places, in the order of the keys. */
export function standing(places: readonly PolicyPlace[]): readonly StandingPolicy[] {
  return POLICY_KEYS.flatMap((key) => {
    const found = places.flatMap((place) => {
      const config: unknown = place.set[key];
      return config === undefined ? [] : [{ key, config, place }];
    });
    const off = found.findLastIndex(({ config }) => config === false);
    const on = found.slice(off + 1);
    return KINDS[key].merge === 'all' ? on : on.slice(-1);
  });
}
