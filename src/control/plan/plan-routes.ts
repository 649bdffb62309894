import type { Config } from '../../config/schema/config.ts';
import type { RouteConfig } from '../../config/schema/route.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import type { RouteRule } from '../../routing/route.ts';
import { changedKeys } from './changed-keys.ts';
import { changedIncluded } from './included-policies.ts';
import type { PlanSide } from './make-plan.ts';
import type { PlannedRoute, RouteChanges } from './plan.ts';

interface Known {
  readonly route: RouteConfig;
  readonly index: number;
  readonly name: string;
  readonly at: string;
  /** `undefined` for one that is not served. */
  readonly rule: RouteRule<RoutePlan> | undefined;
}

/** Routes by name; those without one by what they match, since their places move with every line that is written above them. */
function byIdentity({ config, compiled }: PlanSide): ReadonlyMap<string, Known> {
  const known = new Map<string, Known>();
  const rules = new Map(compiled.routes.map((rule) => [rule.order, rule]));
  for (const [index, route] of config.routes.entries()) {
    const rule = rules.get(index);
    const at = rule?.at ?? `route ${index + 1}`;
    const base = route.name ?? JSON.stringify([route.listeners, route.match]);
    let key = base;
    for (let twin = 2; known.has(key); twin += 1) key = `${base} ${twin}`;
    known.set(key, { route, index, name: route.name ?? at, at, rule });
  }
  return known;
}

/** In short steps. */
export function* planRoutes(before: PlanSide, next: PlanSide): Generator<void, Omit<RouteChanges, 'moved'>> {
  const [was, will] = [byIdentity(before), byIdentity(next)];
  yield;
  const added: PlannedRoute[] = [];
  const changed: (PlannedRoute & { keys: readonly string[] })[] = [];
  const kept: { readonly from: number; readonly route: PlannedRoute }[] = [];
  for (const [key, { route, name, at, rule }] of will) {
    const former = was.get(key);
    if (former === undefined) added.push({ name, at });
    else {
      kept.push({ from: former.index, route: { name, at } });
      // The compiler has taken it over as it was.
      const same = rule !== undefined && rule.match === former.rule?.match && rule.plan === former.rule.plan;
      const keys = same ? [] : keysOf({ config: before.config, route: former.route }, { config: next.config, route });
      if (keys.length > 0) changed.push({ name, at, keys });
    }
    yield;
  }
  const removed = [...was].filter(([key]) => !will.has(key)).map(([, { name, at }]) => ({ name, at }));
  return {
    added,
    removed,
    changed,
    reordered: outOfOrder(kept),
    quarantined: newlyQuarantined(before, next),
  };
}

/** What has changed of a route: its own keys, and policies that it has by groups. */
function keysOf(
  before: { readonly config: Config; readonly route: RouteConfig },
  next: { readonly config: Config; readonly route: RouteConfig },
): readonly string[] {
  const own = changedKeys(before.route, next.route).filter((key) => key !== 'tests');
  return [...own, ...changedIncluded(before, next)];
}

/** All but a longest run that stands in the same order as before: the fewest that must have been moved. */
function outOfOrder(kept: readonly { readonly from: number; readonly route: PlannedRoute }[]): PlannedRoute[] {
  const ends: number[] = [];
  const previous = kept.map(() => -1);
  for (const [i, { from }] of kept.entries()) {
    let low = 0;
    let high = ends.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((kept[ends[middle] as number]?.from as number) < from) low = middle + 1;
      else high = middle;
    }
    previous[i] = low === 0 ? -1 : (ends[low - 1] as number);
    ends[low] = i;
  }
  const inOrder = new Set<number>();
  for (let i = ends.at(-1) ?? -1; i !== -1; i = previous[i] as number) inOrder.add(i);
  return kept.filter((_, i) => !inOrder.has(i)).map(({ route }) => route);
}

function newlyQuarantined(before: PlanSide, next: PlanSide): RouteChanges['quarantined'] {
  const known = new Set(before.compiled.quarantined.filter(({ kind }) => kind === 'route').map(({ name }) => name));
  return next.compiled.quarantined
    .filter(({ kind, name }) => kind === 'route' && !known.has(name))
    .map(({ name, file, line, message }) => ({ name, at: `${file}:${line}`, message }));
}
