import { Maintenance } from '../engine/maintenance.ts';
import { PrefixMemory } from '../engine/prefix-memory.ts';
import type { PolicyState } from '../policy/policy-state.ts';
import { SessionTable, type SessionTableOptions } from '../upstream/affinity/session-table.ts';
import { AttemptFigures } from '../upstream/attempt-figures.ts';
import type { Breaker, BreakerPolicy } from '../upstream/breaker/breaker.ts';
import { KeptBreakers } from '../upstream/breaker/kept-breakers.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import { EndpointLive } from '../upstream/endpoint-live.ts';
import type { ProbeDefinition } from '../upstream/health/probe-definition.ts';
import type { ProbeState } from '../upstream/health/probe-state.ts';
import type { Prober } from '../upstream/health/prober.ts';
import { type EndpointId, type ProbeId, poolOf } from '../upstream/identity.ts';
import { type LimitOptions, PoolLimit } from '../upstream/limit/pool-limit.ts';
import { MirrorLive } from '../upstream/mirror-live.ts';
import type { UpstreamParts } from '../upstream/parts.ts';
import { PoolLive } from '../upstream/pool-live.ts';
import { RetryAccount } from '../upstream/retry-account.ts';
import type { RetryBudgetOptions } from '../upstream/retry-budget.ts';
import { HttpChallenges } from './certificates/acme/http-challenges.ts';
import { PendingTlsChallenges } from './certificates/acme/tls-challenges.ts';
import { type CommonSecrets, ownSecrets } from './common-secrets.ts';
import { PolicyStates } from './policies/policy-states.ts';
import { idleWorld, type PolicyWorld } from './policies/policy-world.ts';

/** Identities that a new snapshot uses. */
export interface InUse {
  readonly endpoints: ReadonlySet<EndpointId>;
  readonly probes: ReadonlySet<ProbeId>;
  readonly pools: ReadonlySet<string>;
  /** Pools that have a breaker, and those whose endpoints have. */
  readonly breakers: { readonly pools: ReadonlySet<string>; readonly endpointsOf: ReadonlySet<string> };
  /** Names of the cookies that splits insert. */
  readonly splitCookies: ReadonlySet<string>;
  /** Pools with passive health. */
  readonly outliers: ReadonlySet<string>;
  readonly mirrors: ReadonlySet<MirrorLive>;
  readonly policyStates: ReadonlySet<PolicyState>;
  /** Connection keys, for the transport. */
  readonly connections: ReadonlySet<string>;
}

export interface LedgerOptions {
  /** Default: drawn by this process alone. */
  readonly secrets?: CommonSecrets | undefined;
  /** Default: nothing is reached. */
  readonly world?: PolicyWorld;
}

const NONE = new Set<never>();
const NOTHING: InUse = {
  endpoints: NONE,
  probes: NONE,
  pools: NONE,
  breakers: { pools: NONE, endpointsOf: NONE },
  connections: NONE,
  splitCookies: NONE,
  mirrors: NONE,
  policyStates: NONE,
  outliers: NONE,
};

/**
 * Live state by identity: what outlives a snapshot. A new snapshot adopts what it knows under the same identity and starts
 * the rest afresh; `retain` then forgets what nobody uses. Bounded by the configuration's size.
 */
export class Ledger {
  readonly #live = new Map<EndpointId, EndpointLive>();
  readonly #pools = new Map<string, PoolLive>();
  readonly #affinitySecrets = new Map<string, string>();
  readonly #sessions = new Map<string, SessionTable>();
  readonly #splitSecrets = new Map<string, string>();
  readonly #mirrors = new Map<string, MirrorLive>();
  readonly #breakers: KeptBreakers;
  readonly #retries = new Map<string, RetryAccount>();
  readonly #limits = new Map<string, PoolLimit>();
  readonly #prober: Prober;
  /** What kept state is to be told of a configuration that is being compiled. */
  #whenServed: (() => void)[] = [];
  /** For whatever is made of live state. */
  readonly upstream: UpstreamParts;

  /** What signs and seals, and is the same in every process that serves the same clients. */
  readonly secrets: CommonSecrets;

  /** What policies reach of it. */
  readonly world: PolicyWorld;
  readonly #policies = new PolicyStates();

  /** `prober` keeps the results of active checks, the one kind of live state with a life of its own. */
  constructor(
    prober: Prober,
    upstream: UpstreamParts,
    { secrets = ownSecrets(), world = idleWorld(upstream) }: LedgerOptions = {},
  ) {
    this.world = world;
    this.#prober = prober;
    this.secrets = secrets;
    this.upstream = upstream;
    this.#breakers = new KeptBreakers(upstream);
  }

  live(id: EndpointId): EndpointLive {
    return adopt(this.#live, id, () => new EndpointLive(this.upstream.revision));
  }

  probe(definition: ProbeDefinition): ProbeState {
    return this.#prober.adopt(definition);
  }

  pool(name: string): PoolLive {
    return adopt(this.#pools, name, () => this.#newPoolLive());
  }

  #newPoolLive(): PoolLive {
    const { clock, latencySeconds } = this.upstream;
    return new PoolLive(latencySeconds === undefined ? null : new AttemptFigures(clock, latencySeconds));
  }

  /** The breaker of a whole pool. */
  breaker(pool: string, policy: BreakerPolicy): Breaker {
    return this.#breakers.ofPool(pool, policy);
  }

  endpointBreaker(pool: string, endpoint: Endpoint, policy: BreakerPolicy): Breaker {
    return this.#breakers.ofEndpoint(pool, endpoint, policy);
  }

  /** What the pool has spent on retries; with this budget once it is served. */
  retries(pool: string, budget: RetryBudgetOptions): RetryAccount {
    const { clock, observer } = this.upstream;
    const changed = (spent: boolean): void => observer.event({ kind: 'retry-budget', pool, spent });
    const account = adopt(this.#retries, pool, () => new RetryAccount(budget, { clock, changed }));
    this.#whenServed.push(() => account.budget.adopt(budget));
    return account;
  }

  /** What is in flight at a pool, and who waits. `options` are for a new one: a kept one has its own until `Pool.enforce`. */
  limit(pool: string, options: LimitOptions): PoolLimit {
    return adopt(this.#limits, pool, () => new PoolLimit(pool, options, this.upstream));
  }

  /** What is held of bodies that routes ask about. */
  readonly prefixes = new PrefixMemory(0);

  /** Which routes are out of service by hand. */
  readonly maintenance = new Maintenance();

  /** What certificate authorities ask for over plain HTTP. */
  readonly httpChallenges = new HttpChallenges();
  /** And in TLS handshakes. */
  readonly tlsChallenges = new PendingTlsChallenges();

  /** Port that each listener is bound to; what a redirect to it names when the configuration says 0. */
  readonly ports = new Map<string, number>();

  /** Signs the affinity cookies of a pool without a secret of its own: new at each start of the process, kept over reloads. */
  affinitySecret(pool: string): string {
    return adopt(this.#affinitySecrets, pool, () => this.secrets.of(`affinity ${pool}`));
  }

  /** The sessions that a pool has learned; within these bounds once it is served. */
  sessions(pool: string, options: SessionTableOptions): SessionTable {
    const table = adopt(this.#sessions, pool, () => new SessionTable(options, this.upstream.clock));
    this.#whenServed.push(() => table.adopt(options));
    return table;
  }

  /** The same for the cookie of splits, by its name. */
  splitSecret(cookie: string): string {
    return adopt(this.#splitSecrets, cookie, () => this.secrets.of(`split ${cookie}`));
  }

  /** What becomes of the copies of a route's requests. */
  mirror(route: string, pool: string): MirrorLive {
    return adopt(this.#mirrors, `${pool} ${route}`, () => new MirrorLive(route, pool));
  }

  /** Live state of a policy: what is known under `id`, else what `create` makes. Not opened before it is served. */
  policyState<T extends PolicyState>(id: string, create: () => T): T {
    return this.#policies.adopt(id, create);
  }

  /** In use now. */
  get policyStates(): Iterable<PolicyState> {
    return this.#policies.all;
  }

  /** `tell` is called if what is being compiled is served. */
  whenServed(tell: () => void): void {
    this.#whenServed.push(tell);
  }

  /** What was compiled since the last time is served from now on: kept state takes over what is new of its options. */
  serve(): void {
    for (const tell of this.#whenServed.splice(0)) tell();
    this.#policies.serve();
  }

  /** What was compiled since the last time came to nothing. */
  disregard(): void {
    this.#whenServed = [];
  }

  /** Never while something is compiled: what is new for it would be forgotten before it is used. */
  retain(inUse: InUse): void {
    for (const [key, live] of this.#mirrors) if (!inUse.mirrors.has(live)) this.#mirrors.delete(key);
    this.#policies.retain(inUse.policyStates);
    this.#breakers.retain(inUse.breakers.pools);
    for (const [id, live] of this.#live) {
      if (!inUse.endpoints.has(id) || !inUse.breakers.endpointsOf.has(poolOf(id))) retireBreaker(live);
      if (!inUse.endpoints.has(id) || !inUse.outliers.has(poolOf(id))) retireOutlier(live);
    }
    forget(this.#live, inUse.endpoints);
    this.#prober.retain(inUse.probes);
    forget(this.#pools, inUse.pools);
    forget(this.#affinitySecrets, inUse.pools);
    forget(this.#retries, inUse.pools);
    forget(this.#sessions, inUse.pools);
    forget(this.#limits, inUse.pools);
    forget(this.#splitSecrets, inUse.splitCookies);
  }

  /** Forgets everything, and with it every timer. */
  close(): void {
    this.retain(NOTHING);
  }
}

function retireOutlier(live: EndpointLive): void {
  live.outlier?.retire();
  live.outlier = null;
}

function retireBreaker(live: EndpointLive): void {
  live.breaker?.retire();
  live.breaker = null;
}

function adopt<K, V>(known: Map<K, V>, key: K, create: () => V): V {
  const found = known.get(key);
  if (found !== undefined) return found;
  const created = create();
  known.set(key, created);
  return created;
}

function forget<K>(known: Map<K, unknown>, kept: ReadonlySet<K>): void {
  for (const key of known.keys()) if (!kept.has(key)) known.delete(key);
}
