// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, type Candidates, noCandidates } from './balancer.ts';
import { WeightedDraw } from './weighted-draw.ts';

/** By chance, in proportion to the weights. */
export class Random implements Balancer {
  readonly #draw: WeightedDraw;
  #endpoints: readonly Endpoint[] = noCandidates.endpoints;

  /** `random` returns numbers in [0, 1). */
  constructor(random: () => number) {
    this.#draw = new WeightedDraw(random);
  }

  update(candidates: Candidates): void {
    this.#endpoints = candidates.endpoints;
    this.#draw.update(candidates);
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    return this.#endpoints[this.#draw.one(tried)] ?? null;
  }
}
