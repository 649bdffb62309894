// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import { type Endpoint, isHealthy, isInService, weightOf } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, type Candidates, isPassedOver, noCandidates } from './balancer.ts';
import type { Balancing } from './balancing.ts';
import { isPanic, type TierHealth, tierShares } from './shares.ts';

export interface TiersOptions {
  readonly balancing: Balancing;
  /** Share of healthy endpoints, 0 to 1, with which a tier can take all of the traffic. */
  readonly enough: number;
  /** Below this share of healthy endpoints in every tier nobody's health is asked for; 0 for never. */
  readonly panic: number;
}

/** The endpoints of one priority, as they were when last looked over. */
export interface Tier extends TierHealth {
  readonly priority: number;
  /** Of the traffic, 0 to 1. */
  readonly share: number;
}

/** Those that may be picked, and whoever picks among them. */
interface Choice {
  readonly priority: number;
  readonly balancer: Balancer;
  candidates: Candidates;
  /** Sum of the shares up to and including this one. */
  upTo: number;
}

/** The choice between the priorities of a pool, each with a balancer of its own, by their health. */
export class Tiers {
  readonly #options: TiersOptions;
  readonly #balancers = new Map<number, Choice>();
  /** With at least one candidate, first priority first. */
  #choices: readonly Choice[] = [];
  #tiers: readonly Tier[] = [];
  #panicking = false;

  constructor(options: TiersOptions) {
    this.#options = options;
  }

  /** Everybody in service is taken for healthy, and all priorities for one. */
  get panicking(): boolean {
    return this.#panicking;
  }

  /** Those with an endpoint in service, first priority first. */
  get tiers(): readonly Tier[] {
    return this.#tiers;
  }

  /** Endpoints that may be picked. */
  get size(): number {
    return this.#choices.reduce((sum, { candidates }) => sum + candidates.endpoints.length, 0);
  }

  /** Takes in what these endpoints are now. To be called when the revision has moved, not for each pick. */
  lookOver(endpoints: readonly Endpoint[]): void {
    const byPriority = inServiceByPriority(endpoints);
    const health = byPriority.map(([priority, members]) => ({
      priority,
      inService: members.length,
      healthy: members.filter(isHealthy).length,
    }));
    this.#panicking = isPanic(health, this.#options.panic);
    const shares = tierShares(health, this.#options.enough);
    this.#tiers = health.map((tier, index) => ({ ...tier, share: this.#panicking ? 0 : (shares[index] as number) }));
    this.#choose(
      this.#panicking ? panicTier(byPriority) : byPriority.map(([p, members]) => [p, members.filter(isHealthy)]),
    );
  }

  pick(request: BalanceRequest): Endpoint | null {
    const choices = this.#choices;
    let chosen = 0;
    if (choices.length > 1 && (choices[0] as Choice).upTo < 1) chosen = this.#chosen(request);
    const endpoint = choices.length === 0 ? null : (choices[chosen] as Choice).balancer.pick(request);
    // All of them were tried or are at their limits: better another priority than nobody.
    return endpoint === null && choices.length > 1 ? this.#pickElsewhere(request, chosen) : endpoint;
  }

  /** Whom `pick` would choose now, where that follows from the request or there is nobody else; else `null`. Changes nothing. */
  settled(request: BalanceRequest): { readonly endpoint: Endpoint; readonly by: 'hash' | 'only' } | null {
    const [first, ...others] = this.#choices;
    if (first === undefined || (others.length > 0 && first.upTo < 1)) return null;
    const free = first.candidates.endpoints.filter((endpoint) => !isPassedOver(endpoint, request.tried));
    const [only, ...rest] = free;
    if (only === undefined) return null;
    if (rest.length === 0) return { endpoint: only, by: 'only' };
    const endpoint = first.balancer.settled?.(request) ?? null;
    return endpoint === null ? null : { endpoint, by: 'hash' };
  }

  #chosen(request: BalanceRequest): number {
    const point = this.#options.balancing.point(request);
    const at = this.#choices.findIndex(({ upTo }) => point < upTo);
    // Shares are sums of fractions, and the last may end a crumb below 1.
    return at === -1 ? 0 : at;
  }

  #pickElsewhere(request: BalanceRequest, except: number): Endpoint | null {
    for (const [index, { balancer }] of this.#choices.entries()) {
      const endpoint = index === except ? null : balancer.pick(request);
      if (endpoint !== null) return endpoint;
    }
    return null;
  }

  #choose(members: readonly (readonly [priority: number, endpoints: readonly Endpoint[]])[]): void {
    let sum = 0;
    const choices: Choice[] = [];
    for (const [priority, endpoints] of members) {
      const choice = this.#choiceOf(priority);
      this.#update(choice, endpoints);
      sum += this.#panicking ? 1 : (this.#tiers.find((tier) => tier.priority === priority)?.share ?? 0);
      choice.upTo = sum;
      if (endpoints.length > 0) choices.push(choice);
    }
    this.#choices = choices;
    for (const priority of this.#balancers.keys()) {
      if (!members.some(([kept]) => kept === priority)) this.#balancers.delete(priority);
    }
  }

  #choiceOf(priority: number): Choice {
    let choice = this.#balancers.get(priority);
    if (choice === undefined) {
      choice = { priority, balancer: this.#options.balancing.balancer(priority), candidates: noCandidates, upTo: 0 };
      this.#balancers.set(priority, choice);
    }
    return choice;
  }

  /** The revision is the gateway's: mostly it was another pool's endpoint that changed. */
  #update(choice: Choice, endpoints: readonly Endpoint[]): void {
    const { candidates } = choice;
    const same =
      endpoints.length === candidates.endpoints.length &&
      endpoints.every((each, i) => each === candidates.endpoints[i] && weightOf(each) === candidates.weights[i]);
    if (same) return;
    choice.candidates = { endpoints, weights: Float64Array.from(endpoints, weightOf) };
    choice.balancer.update(choice.candidates);
  }
}

type ByPriority = readonly (readonly [priority: number, members: readonly Endpoint[]])[];

function inServiceByPriority(endpoints: readonly Endpoint[]): ByPriority {
  const groups = Map.groupBy(endpoints.filter(isInService), ({ priority }) => priority);
  return [...groups].sort(([a], [b]) => a - b);
}

/** Breakers are kept to, also in panic: they have seen for themselves that requests fail. */
function panicTier(byPriority: ByPriority): ByPriority {
  const [first] = byPriority;
  if (first === undefined) return [];
  return [[first[0], byPriority.flatMap(([, members]) => members.filter(({ live }) => !live.tripped))]];
}
