import type { Config } from '../config/schema/config.ts';
import { plainPool } from '../config/schema/pool/pool.ts';
import type { Faults } from '../config/sound-part.ts';
import type { Absence, Pool } from '../upstream/pool.ts';
import type { Membership } from './discovery/membership.ts';
import { KeptParts } from './kept-parts.ts';
import { compilePool, type PoolContext } from './pool/compile-pool.ts';

export interface PoolsContext extends Omit<PoolContext, 'dns'> {
  readonly config: Config;
  readonly faults: Faults;
}

export interface CompiledPools {
  readonly pools: ReadonlyMap<string, Pool>;
  /** The pools whose members are to be found. */
  readonly memberships: readonly Membership[];
  /** Pools that are there only to refuse, since their configuration can't be used. */
  readonly refusing: ReadonlySet<string>;
  /** Pools that serve with what was read of their files before. */
  readonly kept: ReadonlySet<string>;
}

const QUARANTINED: Absence = { code: 'destination_unavailable', reason: 'pool-quarantined' };

/** Compiles every pool. One that is broken has no endpoints, and whoever wants to know why hears that it is quarantined. */
export function* compilePools({ config, faults, ...context }: PoolsContext): Generator<void, CompiledPools> {
  const pools = new Map<string, Pool>();
  const memberships: Membership[] = [];
  const refusing = new Set<string>();
  const kept = new Set<string>();
  const inContext = { ...context, dns: config.dns };
  for (const [name, pool] of Object.entries(config.pools)) {
    const { count } = context.complaints;
    const compiled = compilePool(name, pool, faults.pools.has(name) ? apart(inContext) : inContext);
    if (compiled !== null && context.complaints.count > count) kept.add(name);
    if (compiled === null || faults.pools.has(name)) refusing.add(name);
    else {
      pools.set(name, compiled.pool);
      if (compiled.membership !== null) memberships.push(compiled.membership);
    }
    yield;
  }
  for (const name of [...refusing, ...faults.pools.keys()]) {
    const known = (): ReturnType<PoolContext['known']> => ({
      ...{ endpoints: [], dropped: 0, sources: new Set(), absence: QUARANTINED },
    });
    const nobody = compilePool(name, plainPool(), { ...apart(inContext), known });
    if (nobody !== null) pools.set(name, nobody.pool);
    refusing.add(name);
  }
  return { pools, memberships, refusing, kept };
}

/** What does not serve is not for the next configuration to take over. */
function apart(context: PoolContext): PoolContext {
  return { ...context, parts: new KeptParts(), before: null };
}
