// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, type Candidates, isPassedOver, noCandidates } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** Draws that land on the first choice again before its neighbour is the second. */
const DRAWS = 3;

/** Some kind of load of an endpoint, for its weight. Only compared; `reading` is what `Loads.reading` said. */
export interface Loads {
  /** Asked once a pick, before the two are compared: the time, say. */
  reading(): number;
  of(endpoint: Endpoint, reading: number): number;
}

/** Attempts in flight. */
export const inFlightLoads: Loads = {
  reading: () => 0,
  of: ({ live }) => live.inFlight,
};

/**
 * Power of two choices (Mitzenmacher 2001): two endpoints drawn by weight, and of these the one with less load for its weight;
 * the first drawn while they are equal, so that an idle pool is used in proportion to the weights. Nearly as even as to look at
 * all of them, and several gateways that look at the same moment do not all take the same one.
 */
export class TwoChoices implements Balancer {
  readonly #draw: WeightedDraw;
  readonly #loads: Loads;
  #candidates: Candidates = noCandidates;

  /** `random` returns numbers in [0, 1). */
  constructor(random: () => number, loads: Loads) {
    this.#draw = new WeightedDraw(random);
    this.#loads = loads;
  }

  update(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#draw.update(candidates);
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    const { endpoints } = this.#candidates;
    const first = this.#draw.one(tried);
    if (first === -1) return null;
    const second = this.#second(first, tried);
    return endpoints[second === -1 || !this.#isLighter(second, first) ? first : second] as Endpoint;
  }

  /** -1 for none. */
  #second(first: number, tried: readonly Endpoint[] | null): number {
    const { endpoints } = this.#candidates;
    if (endpoints.length === 1) return -1;
    for (let draws = 0; draws < DRAWS; draws += 1) {
      const index = this.#draw.any();
      if (index !== first && !isPassedOver(endpoints[index] as Endpoint, tried)) return index;
    }
    // One weight far above the others, or few endpoints: of two, the other one must always be looked at.
    const neighbour = (first + 1) % endpoints.length;
    return isPassedOver(endpoints[neighbour] as Endpoint, tried) ? -1 : neighbour;
  }

  #isLighter(a: number, b: number): boolean {
    const { endpoints, weights } = this.#candidates;
    const reading = this.#loads.reading();
    const ofA = this.#loads.of(endpoints[a] as Endpoint, reading) * (weights[b] as number);
    return ofA < this.#loads.of(endpoints[b] as Endpoint, reading) * (weights[a] as number);
  }
}
