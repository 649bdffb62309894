import type { FallbackConfig } from '../config/schema/fallback.ts';
import type { FailureKind, FallbackPlan, FallbackStep } from '../engine/fallback.ts';
import { compileRespond } from '../policy/respond.ts';
import type { Complaints, KeyPath } from './complaints.ts';
import type { PoolsByName } from './kept-parts.ts';

export interface FallbackContext {
  readonly pools: PoolsByName;
  readonly complaints: Complaints;
  /** Of the route. */
  readonly path: KeyPath;
  readonly captures: readonly string[];
  /** The route stores responses. */
  readonly caches: boolean;
}

/** Compiles the fallbacks of a route. What can't be compiled is left out after a complaint. */
export function compileFallback(config: FallbackConfig, context: FallbackContext): FallbackPlan {
  const kinds = config.on.filter((item): item is FailureKind => typeof item === 'string');
  const statuses = config.on.filter((item) => typeof item === 'number');
  return {
    on: new Set(kinds),
    asksPools: config.steps.some((step) => 'pool' in step),
    statuses: statuses.length === 0 ? null : new Set(statuses),
    steps: config.steps.flatMap((step, index) => {
      const at = [...context.path, 'fallback', ...(config.asList ? [] : ['steps']), index];
      return compileStep(step, at, context) ?? [];
    }),
  };
}

function compileStep(
  step: FallbackConfig['steps'][number],
  at: KeyPath,
  { pools, complaints, captures, caches }: FallbackContext,
): FallbackStep | null {
  if ('pool' in step) {
    // An unknown name was refused when the configuration was loaded.
    const pool = pools.get(step.pool);
    return pool === undefined ? null : { kind: 'pool', pool };
  }
  if ('stale' in step) {
    if (!caches) complaints.add(at, { message: 'this route stores nothing that could be stale: add “cache”' });
    return { kind: 'stale', maxAgeMs: step.stale.maxAge || Number.POSITIVE_INFINITY };
  }
  const reply = compileRespond(step.respond, captures);
  if (reply.ok) return { kind: 'respond', make: reply.value };
  for (const problem of reply.problems) complaints.add([...at, 'respond', ...problem.path], problem);
  return null;
}
