import type { Origins } from '../config/origins.ts';
import { type RouteEffect, type Salvaged, salvageRoute, worseEffect } from '../config/salvage-route.ts';
import type { RouteConfig } from '../config/schema/route.ts';
import type { Faults } from '../config/sound-part.ts';
import type { RoutePlan } from '../engine/snapshot.ts';
import { compileRule } from '../routing/compiled-rule.ts';
import type { RouteRule } from '../routing/route.ts';
import { compileRetry } from './compile-retry.ts';
import { compileRoute, shapeOf } from './compile-route.ts';
import { Complaints } from './complaints.ts';
import { type KeptRouteContext, keptRoute } from './kept-route.ts';

export interface RoutesContext extends KeptRouteContext {
  readonly origins: Origins;
  readonly faults: Faults;
}

export interface CompiledRoutes {
  /** Those that answer; in the order of the configuration. */
  readonly rules: readonly RouteRule<RoutePlan>[];
  /** Those of them that have nothing wrong with what chooses their requests. */
  readonly sound: readonly RouteRule<RoutePlan>[];
  /** What becomes of the others, by place in the configuration. */
  readonly effects: ReadonlyMap<number, RouteEffect>;
}

/**
 * Compiles every route, each on its own: one that is broken becomes a rule that answers 503 to whatever it may have taken, or goes
 * on without what nobody is protected by, or is left out when nobody can tell whose requests they are.
 */
export function* compileRoutes(given: Omit<RoutesContext, 'environment'>): Generator<void, CompiledRoutes> {
  const { defaults, cache, policies, stores, listeners } = given.config;
  const included = Object.entries(listeners).map(([name, { use }]) => [name, use]);
  const context = { ...given, environment: JSON.stringify([defaults, cache, policies, stores, included]) };
  const rules: RouteRule<RoutePlan>[] = [];
  const sound: RouteRule<RoutePlan>[] = [];
  const effects = new Map<number, RouteEffect>();
  for (const [index, route] of given.config.routes.entries()) {
    const { rule, effect } = compileOne(route, index, context);
    yield;
    if (effect !== null) effects.set(index, effect);
    if (rule === null) continue;
    rules.push(rule);
    if (effect === null || effect === 'reduced') sound.push(rule);
  }
  return { rules, sound, effects };
}

interface Outcome {
  readonly rule: RouteRule<RoutePlan> | null;
  /** `null`: nothing is wrong. */
  readonly effect: RouteEffect | null;
}

function compileOne(route: RouteConfig, index: number, context: RoutesContext): Outcome {
  const { complaints, faults } = context;
  const fault = faults.routes.get(index);
  const before = complaints.count;
  const rule = keptRoute(route, index, context);
  const broken = complaints.all.slice(before).map(({ path }) => ({ path: path.slice(2), unreadable: false }));
  if (fault === undefined && broken.length === 0) return { rule, effect: null };
  const salvaged: Salvaged =
    broken.length === 0 ? { effect: 'reduced', route: { ...route }, without: [] } : salvageRoute(route, broken);
  const effect = worseEffect(fault?.effect ?? 'reduced', salvaged.effect);
  // What was a route before something was taken out of it is one still.
  const rest = salvaged.route as unknown as RouteConfig;
  if (effect === 'left-out') return { rule: null, effect };
  if (effect === 'reduced') {
    const scratch = new Complaints(context.origins);
    const reduced = broken.length === 0 ? rule : compileRoute(rest, index, { ...context, complaints: scratch });
    const without = [...salvaged.without, ...(fault?.without ?? [])];
    if (reduced !== null) return { rule: without.includes('cache') ? withoutPurges(reduced) : reduced, effect };
  }
  const refusal = refusalOf(rest, index, context);
  return { rule: refusal, effect: refusal === null ? 'left-out' : 'refused' };
}

/** Whose PURGE was to be obeyed went with the cache, and no endpoint was to see one. */
function withoutPurges(rule: RouteRule<RoutePlan>): RouteRule<RoutePlan> {
  return { ...rule, plan: { ...rule.plan, purge: () => false } };
}

/** Answers 503 to what the route may have taken; `null` if even that can't be told. */
function refusalOf(
  route: RouteConfig,
  index: number,
  { config, complaints, ledger }: RoutesContext,
): RouteRule<RoutePlan> | null {
  const shape = shapeOf(route, index, complaints);
  const rule = {
    ...shape,
    plan: {
      action: { kind: 'refuse' },
      policies: null,
      rewritePath: null,
      editQuery: null,
      editRequest: null,
      rewriteLocation: null,
      editCookies: null,
      editResponse: null,
      maintenance: ledger.maintenance.of(shape.name),
      importance: 'normal',
      timeouts: { headMs: 0, idleMs: 0, totalMs: 0, tunnelIdleMs: 0 },
      retry: compileRetry(undefined, config.defaults.retry),
      mirror: null,
      traceSample: null,
      fallback: null,
      cache: null,
      purge: null,
      hidesTarget: true,
      bypassCache: null,
    },
  } as const;
  return compileRule(rule).ok ? rule : null;
}
