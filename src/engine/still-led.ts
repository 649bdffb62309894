import type { Endpoint } from '../upstream/endpoint.ts';
import type { Pool } from '../upstream/pool.ts';
import { routeRequestOf } from './decide.ts';
import type { Progress } from './progress.ts';
import type { RoutePlan, Snapshot } from './snapshot.ts';

/** Who talks to whom. */
export interface Joined {
  readonly pool: Pool;
  readonly endpoint: Endpoint;
}

/** By `snapshot` the same request could still come to this pool and this endpoint. */
export function isStillLed(progress: Progress, joined: Joined, snapshot: Snapshot): boolean {
  const rules = snapshot.listeners.get(progress.exchange.listener);
  // What comes over a listener that is gone is drained with it.
  if (rules === undefined) return true;
  if (rules.redirect !== null || !hasEndpoint(joined, snapshot)) return false;
  const matched = rules.table.match(routeRequestOf(progress));
  return matched !== null && leadsTo(matched.rule.plan, joined.pool.name);
}

/** Discovery changes the members of a pool that is still the same: what it takes out is not the reload's to end. */
export function hasEndpoint({ pool, endpoint }: Joined, { pools }: Snapshot): boolean {
  const now = pools.get(pool.name);
  return now === pool || (now?.endpoints.some(({ id }) => id === endpoint.id) ?? false);
}

function leadsTo({ action, fallback }: RoutePlan, pool: string): boolean {
  if (fallback?.steps.some((step) => step.kind === 'pool' && step.pool.name === pool) === true) return true;
  switch (action.kind) {
    case 'forward':
      return action.pool.name === pool;
    case 'split':
      return action.split.branches.some((branch) => branch.pool.name === pool);
    case 'refuse':
      // Somebody's slip, which is mended soon.
      return true;
    case 'reply':
      return false;
  }
}
