import type { ListenerConfig } from '../config/schema/listener.ts';
import type { StreamRules } from '../engine/snapshot.ts';
import { ServerNames } from '../routing/server-names.ts';
import type { Pool } from '../upstream/pool.ts';

/** What a listener forwards as it is, and where; `null` when nothing. That the pools exist was checked in the files. */
export function compileStreams(config: ListenerConfig, pools: ReadonlyMap<string, Pool>): StreamRules | null {
  if (config.kind === 'http' && config.passthrough.length === 0) return null;
  const named = config.passthrough.flatMap(({ sni, pool }) => sni.map((name) => [name, poolOf(pool, pools)] as const));
  return {
    names: new ServerNames(named),
    pool: config.pool === undefined ? null : poolOf(config.pool, pools),
    idleMs: config.limits.streamIdleTimeout,
  };
}

function poolOf(name: string, pools: ReadonlyMap<string, Pool>): Pool {
  const pool = pools.get(name);
  if (pool === undefined) throw new Error(`Cannot forward to pool "${name}": it does not exist`);
  return pool;
}
