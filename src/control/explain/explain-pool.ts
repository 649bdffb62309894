import type { PoolConfig } from '../../config/schema/pool/pool.ts';
import type { Progress } from '../../engine/progress.ts';
import type { RoutePlan } from '../../engine/snapshot.ts';
import { type Endpoint, isAvailable } from '../../upstream/endpoint.ts';
import type { Pool } from '../../upstream/pool.ts';
import type { ExplainedEndpoint, ExplainedPool } from './explanation.ts';
import type { Subject } from './subject.ts';

/** Where a request would go, and how it is there. */
export function explainPool(
  { config, running }: Subject,
  { progress, plan, pool }: { readonly progress: Progress; readonly plan: RoutePlan; readonly pool: Pool },
): ExplainedPool {
  const { headers } = progress.request;
  const session = pool.affinity?.sessionOf(headers) ?? null;
  const choice = chosenBy(progress, plan);
  const settled =
    choice.by === 'weight'
      ? null
      : pool.settled({ clientAddress: progress.client.address, facts: progress, tried: null, session });
  return {
    name: pool.name,
    ...choice,
    balance: balanceText(config.pools[pool.name]?.balance ?? 'round-robin'),
    breaker: pool.breaker?.state ?? null,
    chosen: settled === null ? null : { endpoint: settled.endpoint.origin, by: settled.by },
    endpoints: pool.endpoints.map((endpoint) => explainEndpoint(endpoint, running)),
    absence: pool.absence?.reason ?? null,
  };
}

function chosenBy(progress: Progress, { action }: RoutePlan): Pick<ExplainedPool, 'by' | 'branches'> {
  if (action.kind !== 'split') return { by: 'route', branches: [] };
  const { client } = progress;
  const settled = action.split.settled({
    clientAddress: client.address,
    facts: progress,
    tried: null,
    headers: progress.request.headers,
    overTls: client.tls !== null,
  });
  const branches = action.split.branches.map(({ pool, weight }) => ({ pool: pool.name, weight }));
  return { by: settled === null ? 'weight' : action.split.stickyBy === 'key' ? 'key' : 'cookie', branches };
}

export function balanceText(balance: PoolConfig['balance']): string {
  if (typeof balance === 'string') return balance;
  const { hash, load } = balance;
  const key = typeof hash === 'string' ? hash : Object.entries(hash).flat().join(' ');
  return load === undefined ? `hash of ${key}` : `hash of ${key}, load ${load}`;
}

function explainEndpoint(endpoint: Endpoint, running: boolean): ExplainedEndpoint {
  const { origin, weight, priority, probe, live } = endpoint;
  return {
    origin,
    weight: live.weight ?? weight,
    priority,
    health: !running ? 'unknown' : probe === null ? 'unchecked' : probe.up ? 'up' : 'down',
    available: running ? isAvailable(endpoint) : null,
    standing: live.standing,
    ejected: live.ejected,
    tripped: live.tripped,
    inFlight: running ? live.inFlight : null,
  };
}
