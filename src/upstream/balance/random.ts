// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import { type Endpoint, isAvailable } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, wasTried } from './balancer.ts';

/** Draws that land on an unavailable endpoint before the available ones are counted instead. */
const DRAWS = 3;

/**
 * Weighted random. A draw over all weights by binary search, repeated when it lands on an endpoint that cannot be picked:
 * that keeps the proportions of the others. After three misses (likely only while most of the pool is away) one pass over
 * the endpoints draws among the available ones.
 */
export class Random implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  /** Sum of the weights up to and including each endpoint. */
  readonly #sums: Uint32Array;
  readonly #random: () => number;

  /** `random` returns numbers in [0, 1). */
  constructor(endpoints: readonly Endpoint[], random: () => number) {
    this.#endpoints = endpoints;
    this.#random = random;
    let sum = 0;
    this.#sums = Uint32Array.from(endpoints, (endpoint) => {
      sum += endpoint.weight;
      return sum;
    });
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    for (let draws = 0; draws < DRAWS; draws += 1) {
      const endpoint = this.#draw();
      if (isAvailable(endpoint) && !wasTried(endpoint, tried)) return endpoint;
    }
    return this.#drawAmongAvailable(tried);
  }

  #draw(): Endpoint {
    const sums = this.#sums;
    const point = this.#random() * (sums[sums.length - 1] as number);
    let low = 0;
    let high = sums.length - 1;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sums[middle] as number) > point) high = middle;
      else low = middle + 1;
    }
    return this.#endpoints[low] as Endpoint;
  }

  #drawAmongAvailable(tried: readonly Endpoint[] | null): Endpoint | null {
    let sum = 0;
    for (const endpoint of this.#endpoints) {
      if (isAvailable(endpoint) && !wasTried(endpoint, tried)) sum += endpoint.weight;
    }
    let left = this.#random() * sum;
    for (const endpoint of this.#endpoints) {
      if (!isAvailable(endpoint) || wasTried(endpoint, tried)) continue;
      left -= endpoint.weight;
      if (left < 0) return endpoint;
    }
    return null;
  }
}
