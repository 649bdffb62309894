import type { RouteConfig } from '../config/schema/route.ts';
import type { RoutePlan } from '../engine/snapshot.ts';
import type { RouteRule } from '../routing/route.ts';
import { compileRoute, hidesTarget, type RouteContext, ruleNameOf } from './compile-route.ts';
import { AskedPools, type KeptParts } from './kept-parts.ts';

export interface KeptRouteContext extends RouteContext {
  readonly parts: KeptParts;
  readonly before: KeptParts | null;
  /** Everything but the route itself and its pools that a plan depends on. */
  readonly environment: string;
}

/** One route of the configuration: as it was compiled before, if it would come out the same, else anew. `null` after a complaint. */
export function keptRoute(route: RouteConfig, index: number, context: KeptRouteContext): RouteRule<RoutePlan> | null {
  const { parts, before, complaints, environment } = context;
  const name = ruleNameOf(route, index, complaints);
  // Nobody but `headgate test` reads tests; what is made of `${…}` is as it is in another way than what stands there.
  const key = JSON.stringify({ ...route, tests: hidesTarget(['routes', index], complaints) }) + environment;
  const kept = before?.rule(name, key, context.pools) ?? null;
  if (kept !== null) {
    const at = complaints.where(['routes', index]);
    const { rule } = kept;
    // Its conditions, which are dear, are remembered by the object that they stand in.
    const moved = rule.at === at && rule.order === index ? rule : { ...rule, at, order: index };
    parts.keepRule(name, { ...kept, rule: moved });
    return moved;
  }
  const count = complaints.count;
  const pools = new AskedPools(context.pools);
  const rule = compileRoute(route, index, { ...context, pools });
  if (rule !== null && complaints.count === count) parts.keepRule(name, { key, rule, asked: pools.asked });
  return rule;
}
