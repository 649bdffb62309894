import type { RoutePlan } from '../engine/snapshot.ts';
import type { RouteRule } from '../routing/route.ts';
import { RouteTable } from '../routing/route-table.ts';
import type { Pool } from '../upstream/pool.ts';
import type { CompiledPool } from './pool/compile-pool.ts';

type Rule = RouteRule<RoutePlan>;

/** Pools by name, as far as a route asks for them. */
export interface PoolsByName {
  get(name: string): Pool | undefined;
}

/** Notes who is asked for. */
export class AskedPools implements PoolsByName {
  readonly asked = new Map<string, Pool | undefined>();
  readonly #pools: PoolsByName;

  constructor(pools: PoolsByName) {
    this.#pools = pools;
  }

  get(name: string): Pool | undefined {
    const pool = this.#pools.get(name);
    this.asked.set(name, pool);
    return pool;
  }
}

/** What a pool was made from: what the configuration says, and what the files held that it names. */
export interface PoolKey {
  readonly configured: string;
  readonly read: string;
}

interface KeptRule {
  readonly key: string;
  readonly rule: Rule;
  readonly asked: AskedPools['asked'];
}

/**
 * The parts of a compiled configuration, by everything that they were made from. Whoever compiles the next one takes those over that it would
 * make again: what has not changed is not touched, and costs a comparison. As large as the configuration.
 */
export class KeptParts {
  readonly #pools = new Map<string, { readonly key: PoolKey; readonly compiled: CompiledPool }>();
  readonly #rules = new Map<string, KeptRule>();
  readonly #tables = new Map<string, RouteTable<RoutePlan>>();

  pool(name: string, { configured, read }: PoolKey): CompiledPool | null {
    const known = this.#pools.get(name);
    return known?.key.configured === configured && known.key.read === read ? known.compiled : null;
  }

  /** The pool of that name that was configured so, whatever its files held. Kept in `into` as what it is. */
  poolConfigured(name: string, configured: string, into: KeptParts): CompiledPool | null {
    const known = this.#pools.get(name);
    if (known?.key.configured !== configured) return null;
    into.#pools.set(name, known);
    return known.compiled;
  }

  keepPool(name: string, key: PoolKey, compiled: CompiledPool): void {
    this.#pools.set(name, { key, compiled });
  }

  /** The rule of that name, if every pool that it has asked for is the one that `pools` has. */
  rule(name: string, key: string, pools: PoolsByName): KeptRule | null {
    const known = this.#rules.get(name);
    if (known?.key !== key) return null;
    for (const [pool, object] of known.asked) if (pools.get(pool) !== object) return null;
    return known;
  }

  keepRule(name: string, kept: KeptRule): void {
    this.#rules.set(name, kept);
  }

  /** The table of the listener `name` for exactly these rules, made in short steps unless `before` has it. */
  *table(name: string, rules: readonly Rule[], before: KeptParts | null): Generator<void, RouteTable<RoutePlan>> {
    const known = before === null ? undefined : before.#tables.get(name);
    const same = known?.compiled.length === rules.length && rules.every((rule, i) => known.compiled[i]?.rule === rule);
    const table = known !== undefined && same ? known : yield* RouteTable.steps(rules);
    this.#tables.set(name, table);
    return table;
  }
}
