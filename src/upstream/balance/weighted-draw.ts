// Hot: one or two draws per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import { type Candidates, isPassedOver, noCandidates } from './balancer.ts';

/** Draws that land on an endpoint that is passed over before those that are not are counted instead. */
const DRAWS = 3;

/**
 * Draws candidates in proportion to their weights, in constant time: the alias method (Walker 1974, Vose 1991). Each candidate
 * has a column of the same width, divided between itself and one other.
 */
export class WeightedDraw {
  readonly #random: () => number;
  #candidates: Candidates = noCandidates;
  /** Where the column of each candidate is divided, in [0, 1]: its own part is below. */
  #borders = new Float64Array();
  /** Whose the part above is. */
  #others = new Uint32Array();

  /** `random` returns numbers in [0, 1). */
  constructor(random: () => number) {
    this.#random = random;
  }

  update(candidates: Candidates): void {
    this.#candidates = candidates;
    const { weights } = candidates;
    const size = weights.length;
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    const parts = weights.map((weight) => (weight * size) / total);
    const borders = new Float64Array(size).fill(1);
    const others = Uint32Array.from(weights, (_, index) => index);
    const small: number[] = [];
    const large: number[] = [];
    for (const [index, part] of parts.entries()) (part < 1 ? small : large).push(index);
    for (let least = small.pop(), most = large.pop(); least !== undefined && most !== undefined; ) {
      borders[least] = parts[least] as number;
      others[least] = most;
      parts[most] = (parts[most] as number) + (parts[least] as number) - 1;
      if ((parts[most] as number) < 1) {
        small.push(most);
        most = large.pop();
      }
      least = small.pop();
    }
    this.#borders = borders;
    this.#others = others;
  }

  /** Index of any candidate, by weight. There must be one. */
  any(): number {
    const point = this.#random() * this.#borders.length;
    const column = Math.floor(point);
    return point - column < (this.#borders[column] as number) ? column : (this.#others[column] as number);
  }

  /**
   * Index of a candidate that is not passed over, by weight; -1 for none. Repeating a draw keeps the proportions of the others;
   * after three misses, likely only while most are passed over, those that are left are counted.
   */
  one(tried: readonly Endpoint[] | null): number {
    const { endpoints } = this.#candidates;
    if (endpoints.length === 0) return -1;
    for (let draws = 0; draws < DRAWS; draws += 1) {
      const index = this.any();
      if (!isPassedOver(endpoints[index] as Endpoint, tried)) return index;
    }
    return this.#oneLeft(tried);
  }

  #oneLeft(tried: readonly Endpoint[] | null): number {
    const { endpoints, weights } = this.#candidates;
    let sum = 0;
    for (const [index, endpoint] of endpoints.entries()) {
      if (!isPassedOver(endpoint, tried)) sum += weights[index] as number;
    }
    let left = this.#random() * sum;
    let last = -1;
    for (const [index, endpoint] of endpoints.entries()) {
      if (isPassedOver(endpoint, tried)) continue;
      last = index;
      left -= weights[index] as number;
      if (left < 0) return index;
    }
    // Rounding may leave a crumb of the sum.
    return last;
  }
}
