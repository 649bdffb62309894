import { createHash } from 'node:crypto';
import type { CachePolicy } from '../cache/policy.ts';
import type { Config } from '../config/schema/config.ts';
import type { RouteConfig } from '../config/schema/route.ts';
import type { MirrorPlan } from '../engine/mirror.ts';
import type { RouteAction, RoutePlan, RouteTimeouts } from '../engine/snapshot.ts';
import type { Compiled } from '../policy/compiled.ts';
import { compileCookieEdits } from '../policy/cookie-edits.ts';
import { compileHeaderEdits } from '../policy/header-edits.ts';
import { compileLocationRewrite } from '../policy/location.ts';
import type { RoutePolicies } from '../policy/policy-plan.ts';
import { compileQueryEdits } from '../policy/query-edits.ts';
import { compileRedirect } from '../policy/redirect.ts';
import { compileRespond } from '../policy/respond.ts';
import { compileRewrite } from '../policy/rewrite.ts';
import { compileCidrs, parseNetwork } from '../routing/client-list.ts';
import { compileRule } from '../routing/compiled-rule.ts';
import type { RouteRule } from '../routing/route.ts';
import { compileCachePolicy } from './compile-cache.ts';
import { compileBypass, keyOfCompressed } from './compile-cache-policy.ts';
import { compileFallback } from './compile-fallback.ts';
import { compileRetry } from './compile-retry.ts';
import { compileSplit } from './compile-split.ts';
import type { Complaints, KeyPath } from './complaints.ts';
import type { PoolsByName } from './kept-parts.ts';
import type { Ledger } from './ledger.ts';
import type { PolicyCompiler } from './policies/policy-compiler.ts';

export interface RouteContext {
  readonly config: Config;
  readonly pools: PoolsByName;
  /** Pools that are there only to refuse. */
  readonly refusing: ReadonlySet<string>;
  readonly complaints: Complaints;
  readonly ledger: Ledger;
  readonly policies: PolicyCompiler;
}

/** How a route is called: its place in the files unless it has a name. */
export function ruleNameOf({ name }: RouteConfig, index: number, complaints: Complaints): string {
  return name ?? complaints.where(['routes', index]);
}

/** Compiles one route of the configuration. `null` after a complaint. */
export function compileRoute(route: RouteConfig, index: number, context: RouteContext): RouteRule<RoutePlan> | null {
  const { complaints } = context;
  const path: KeyPath = ['routes', index];
  const shape = shapeOf(route, index, complaints);
  const compiled = compileRule({ ...shape, plan: null });
  if (!compiled.ok) {
    for (const { key, message } of compiled.problems) {
      complaints.addToCondition([...path, 'match', ...key], { message });
    }
    return null;
  }
  const before = complaints.count;
  const plan = compilePlan(route, { ...context, path, captures: compiled.compiled.path.captures });
  return complaints.count > before || plan === null ? null : { ...shape, plan };
}

/** May path or query upstream of the route at `path` hold a secret? */
export function hidesTarget(path: KeyPath, complaints: Complaints): boolean {
  return (['rewrite', 'query'] as const).some((key) => complaints.holdsSecrets([...path, key]));
}

/** Everything of a rule but its plan. */
export function shapeOf(route: RouteConfig, order: number, complaints: Complaints): Omit<RouteRule<RoutePlan>, 'plan'> {
  const { listeners = null, match, priority } = route;
  return {
    name: ruleNameOf(route, order, complaints),
    at: complaints.where(['routes', order]),
    ...{ listeners, match, priority, order },
  };
}

interface PlanContext extends RouteContext {
  readonly path: KeyPath;
  readonly captures: readonly string[];
}

function compilePlan(route: RouteConfig, context: PlanContext): RoutePlan | null {
  const { captures } = context;
  const matchedPrefix = route.match.path?.kind === 'prefix' ? route.match.path.value : null;
  const action = compileAction(route, context);
  const cacheContext = { ...context, shared: context.config.cache, scope: scopeOf(route) };
  const part = <C, T>(
    key: keyof RouteConfig & string,
    config: C | undefined,
    compile: (config: C) => Compiled<T>,
  ): T | null => (config === undefined ? null : take(compile(config), [...context.path, key], context.complaints));
  const name = route.name ?? context.complaints.where(context.path);
  const place = { path: context.path, owner: `route ${name}`, captures };
  const policies = context.policies.ofRoute(route, place);
  const plan = {
    policies,
    rewritePath: part('rewrite', route.rewrite, (config) => compileRewrite(config, captures, { matchedPrefix })),
    editQuery: part('query', route.query, (config) => compileQueryEdits(config, captures)),
    editRequest: part('requestHeaders', route.requestHeaders, (config) =>
      compileHeaderEdits(config, captures, 'request'),
    ),
    rewriteLocation: route.rewriteLocation
      ? compileLocationRewrite({ rewrite: route.rewrite ?? null, matchedPrefix })
      : null,
    editCookies: part('cookies', route.cookies, compileCookieEdits),
    editResponse: part('responseHeaders', route.responseHeaders, (config) =>
      compileHeaderEdits(config, captures, 'response'),
    ),
    maintenance: context.ledger.maintenance.of(name),
    importance: route.importance ?? 'normal',
    timeouts: timeoutsOf(route, context.config),
    retry: compileRetry(route.retry, context.config.defaults.retry),
    hidesTarget: hidesTarget(context.path, context.complaints),
    mirror: mirrorOf(route, context),
    fallback:
      route.fallback === undefined
        ? null
        : compileFallback(route.fallback, { ...context, caches: route.cache !== undefined }),
    cache: route.cache === undefined ? null : withCompressed(compileCachePolicy(route.cache, cacheContext), policies),
    purge: route.cache?.purge === undefined ? null : compilePurge(route.cache.purge, context),
    bypassCache: route.cache === undefined ? null : compileBypass(route.cache, cacheContext),
    traceSample: route.tracing?.sample ?? null,
  };
  return action === null ? null : { action, ...plan };
}

/** Where responses are compressed on the way into the cache, what clients accept is reduced to one coding for each of them. */
function withCompressed(cache: CachePolicy, policies: RoutePolicies | null): CachePolicy {
  const plans = policies === null ? [] : [policies.base, ...(policies.on?.values() ?? [])];
  const transforms = plans.flatMap((plan) => plan?.transforms ?? []);
  const codings = transforms.find((transform) => transform.codings !== null)?.codings ?? null;
  return codings === null ? cache : { ...cache, key: keyOfCompressed(cache.key, codings) };
}

/** What chooses the requests of a route without a name, and who answers them: 72 bits of a digest. */
function scopeOf({ name, listeners, match, pool, split }: RouteConfig): string {
  if (name !== undefined) return '';
  const parts = JSON.stringify([listeners, match, pool, split]);
  return createHash('sha256').update(parts).digest('base64url').slice(0, 12);
}

/** Whose PURGE is obeyed. */
function compilePurge(
  { from }: { readonly from: readonly string[] },
  { complaints, path }: PlanContext,
): ((address: string) => boolean) | null {
  for (const [index, text] of from.entries()) {
    const network = parseNetwork(text);
    if (!network.ok) complaints.add([...path, 'cache', 'purge', 'from', index], { message: network.message });
  }
  return compileCidrs(from);
}

/** Copies of requests for another pool; none for one that is quarantined. An unknown name was refused when the configuration was loaded. */
function mirrorOf({ mirror, name }: RouteConfig, context: PlanContext): MirrorPlan | null {
  const { pools, refusing, ledger, complaints, path } = context;
  const pool = mirror === undefined ? undefined : pools.get(mirror.pool);
  if (mirror === undefined || pool === undefined || refusing.has(mirror.pool)) return null;
  return {
    pool,
    share: mirror.share,
    bodyBytes: mirror.bodyBuffer,
    inFlight: mirror.inFlight,
    timeoutMs: mirror.timeout,
    live: ledger.mirror(name ?? complaints.where(path), pool.name),
  };
}

function compileAction(route: RouteConfig, context: PlanContext): RouteAction | null {
  const { path, pools, captures, complaints } = context;
  if (route.pool !== undefined) {
    // An unknown name was refused when the configuration was loaded.
    const pool = pools.get(route.pool);
    return pool === undefined ? null : { kind: 'forward', pool };
  }
  if (route.split !== undefined) {
    const split = compileSplit(route.split, route.sticky, context);
    return split === null ? null : { kind: 'split', split };
  }
  if (route.redirect !== undefined) {
    const make = take(compileRedirect(route.redirect, captures), [...path, 'redirect'], complaints);
    return make === null ? null : { kind: 'reply', make };
  }
  if (route.respond === undefined) return null;
  const make = take(compileRespond(route.respond, captures), [...path, 'respond'], complaints);
  return make === null ? null : { kind: 'reply', make };
}

function take<T>(result: Compiled<T>, path: KeyPath, complaints: Complaints): T | null {
  if (result.ok) return result.value;
  for (const { path: inner, message } of result.problems) complaints.add([...path, ...inner], { message });
  return null;
}

function timeoutsOf(route: RouteConfig, config: Config): RouteTimeouts {
  const own = route.timeouts;
  const { timeouts } = config.defaults;
  return {
    headMs: own?.head ?? timeouts.head,
    idleMs: own?.idle ?? timeouts.idle,
    totalMs: own?.total ?? timeouts.total,
    tunnelIdleMs: own?.tunnelIdle ?? timeouts.tunnelIdle,
  };
}
