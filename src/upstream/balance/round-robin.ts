// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import {
  type BalanceRequest,
  type Balancer,
  type Candidates,
  type Cursor,
  isPassedOver,
  noCandidates,
} from './balancer.ts';

/**
 * Takes turns: plainly while all weights are equal, else smooth weighted round robin, nginx's algorithm. At each pick every
 * candidate earns its weight in credit, the richest is picked and pays what all of them earned. While nothing changes, every
 * `sum of weights` picks in a row hold exactly each one's share, spread evenly: 5, 1, 1 gives a a b a c a a. Who is away
 * neither earns nor pays, so one that comes back has nothing to catch up on.
 */
export class RoundRobin implements Balancer {
  readonly #cursor: Cursor;
  #candidates: Candidates = noCandidates;
  #equal = true;
  /** Sum of the weights. */
  #total = 0;
  /** Of each candidate; moved here from its live state and back, because an array of numbers is three times as fast. */
  #credits = new Float64Array();

  /** `cursor` is the pool's. */
  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  update(candidates: Candidates): void {
    for (const [i, { live }] of this.#candidates.endpoints.entries()) live.credit = this.#credits[i] as number;
    const { endpoints, weights } = candidates;
    this.#candidates = candidates;
    this.#equal = weights.every((weight) => weight === weights[0]);
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    this.#credits = Float64Array.from(endpoints, ({ live }) => live.credit);
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    if (this.#candidates.endpoints.length === 0) return null;
    return this.#equal ? this.#next(tried) : this.#richest(tried);
  }

  #next(tried: readonly Endpoint[] | null): Endpoint | null {
    const { endpoints } = this.#candidates;
    let at = this.#cursor.next;
    for (let left = endpoints.length; left > 0; left -= 1) {
      if (at >= endpoints.length) at = 0;
      const endpoint = endpoints[at] as Endpoint;
      at += 1;
      if (isPassedOver(endpoint, tried)) continue;
      // Past the one picked, not past the one looked at first: else whoever follows a full endpoint serves its turns too.
      this.#cursor.next = at;
      return endpoint;
    }
    return null;
  }

  /** Everybody earns first and is asked afterwards: who is richest can nearly always be picked. */
  #richest(tried: readonly Endpoint[] | null): Endpoint | null {
    const { endpoints, weights } = this.#candidates;
    const credits = this.#credits;
    let best = 0;
    let most = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < credits.length; i += 1) {
      const credit = (credits[i] as number) + (weights[i] as number);
      credits[i] = credit;
      if (credit <= most) continue;
      most = credit;
      best = i;
    }
    const endpoint = endpoints[best] as Endpoint;
    if (!isPassedOver(endpoint, tried)) {
      credits[best] = most - this.#total;
      return endpoint;
    }
    for (let i = 0; i < credits.length; i += 1) credits[i] = (credits[i] as number) - (weights[i] as number);
    return this.#richestLeft(tried);
  }

  /** The same among those that are not passed over: the others neither earn nor pay. */
  #richestLeft(tried: readonly Endpoint[] | null): Endpoint | null {
    const { endpoints, weights } = this.#candidates;
    const credits = this.#credits;
    let best = -1;
    let earned = 0;
    for (let i = 0; i < credits.length; i += 1) {
      if (isPassedOver(endpoints[i] as Endpoint, tried)) continue;
      credits[i] = (credits[i] as number) + (weights[i] as number);
      earned += weights[i] as number;
      if (best === -1 || (credits[i] as number) > (credits[best] as number)) best = i;
    }
    if (best === -1) return null;
    credits[best] = (credits[best] as number) - earned;
    return endpoints[best] as Endpoint;
  }
}
