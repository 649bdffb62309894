import type { RoutePlan } from '../engine/snapshot.ts';
import { compiledRule } from '../routing/compiled-rule.ts';
import { compareRank } from '../routing/rank.ts';
import type { RouteRule } from '../routing/route.ts';
import type { ConfigView } from './config-view.ts';
import { type OutageStatus, outageStatus } from './maintenance-control.ts';
import type { Quarantined } from './quarantine.ts';

/** A route of a running gateway. Plain data, nothing secret. */
export interface RouteStatus {
  readonly name: string;
  /** Where it is written: `routes/shop.yaml:12`. */
  readonly at: string;
  /** Listeners that it serves; `null` for every one. */
  readonly listeners: readonly string[] | null;
  /** Its conditions, as they are configured. */
  readonly match: object;
  readonly priority: number;
  readonly leadsTo: RouteGoal;
  /** Why it serves nobody, by its own switch or by that for all; `null` while it is in service. */
  readonly maintenance: OutageStatus | null;
  /** What is wrong with it; empty for a sound one. */
  readonly quarantined: readonly Quarantined[];
}

export type RouteGoal =
  | { readonly kind: 'pool'; readonly pool: string }
  | { readonly kind: 'split'; readonly pools: readonly { readonly pool: string; readonly weight: number }[] }
  | { readonly kind: 'redirect' | 'respond' | 'refuse' };

export interface RoutesServed {
  readonly routes: readonly RouteRule<RoutePlan>[];
  readonly quarantined: readonly Quarantined[];
}

/** All routes, in the order in which they are tried. `view` is the configuration that they are from. */
export function routeStatuses({ routes, quarantined }: RoutesServed, view: ConfigView): readonly RouteStatus[] {
  const written = (view.config['routes'] ?? []) as readonly { readonly match?: object; readonly redirect?: unknown }[];
  const verdicts = Map.groupBy(
    quarantined.filter(({ kind }) => kind === 'route'),
    ({ name }) => name,
  );
  const inOrder = routes.map((rule) => compiledRule(rule)).sort(compareRank);
  return inOrder.map(({ rule: { name, at, listeners, priority, order, plan } }) => {
    const { outage } = plan.maintenance;
    return {
      ...{ name, at, listeners, priority },
      match: written[order]?.match ?? {},
      leadsTo: goalOf(plan, written[order]?.redirect !== undefined),
      maintenance: outage === null ? null : outageStatus(outage),
      quarantined: verdicts.get(name) ?? [],
    };
  });
}

function goalOf({ action }: RoutePlan, redirects: boolean): RouteGoal {
  switch (action.kind) {
    case 'forward':
      return { kind: 'pool', pool: action.pool.name };
    case 'split':
      return { kind: 'split', pools: action.split.branches.map(({ pool, weight }) => ({ pool: pool.name, weight })) };
    case 'reply':
      return { kind: redirects ? 'redirect' : 'respond' };
    case 'refuse':
      return { kind: 'refuse' };
  }
}
