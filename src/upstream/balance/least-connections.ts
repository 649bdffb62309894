// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import type { EndpointLive } from '../endpoint-live.ts';
import {
  type BalanceRequest,
  type Balancer,
  type Candidates,
  type Cursor,
  isPassedOver,
  noCandidates,
} from './balancer.ts';

/**
 * The endpoint with the fewest attempts in flight for its weight: the smallest `(inFlight + 1) / weight`, that is, the load
 * it would have *with* this request. So with weights 10 and 1 the small one gets its first when the big one has ten.
 * Among equals the one after the last pick wins, so that an idle pool does not send everything to its first endpoint.
 */
export class LeastConnections implements Balancer {
  readonly #cursor: Cursor;
  #candidates: Candidates = noCandidates;
  /** Of each candidate: one look-up less, for each of them and each pick. */
  #lives: readonly EndpointLive[] = [];

  /** `cursor` is the pool's. */
  constructor(cursor: Cursor) {
    this.#cursor = cursor;
  }

  update(candidates: Candidates): void {
    this.#candidates = candidates;
    this.#lives = candidates.endpoints.map(({ live }) => live);
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    const { endpoints, weights } = this.#candidates;
    const lives = this.#lives;
    const size = lives.length;
    if (size === 0) return null;
    const from = this.#cursor.next < size ? this.#cursor.next : 0;
    let best = from;
    let bestLoad = (lives[from] as EndpointLive).inFlight + 1;
    let bestWeight = weights[from] as number;
    let at = from;
    for (let left = size - 1; left > 0; left -= 1) {
      at = at + 1 < size ? at + 1 : 0;
      const load = (lives[at] as EndpointLive).inFlight + 1;
      const weight = weights[at] as number;
      // load / weight < bestLoad / bestWeight, multiplied out: exact for whole weights.
      if (load * bestWeight >= bestLoad * weight) continue;
      best = at;
      bestLoad = load;
      bestWeight = weight;
    }
    if (isPassedOver(endpoints[best] as Endpoint, tried)) best = this.#leastLeft(from, tried);
    if (best === -1) return null;
    this.#cursor.next = best + 1;
    return endpoints[best] as Endpoint;
  }

  /** The same among those that are not passed over; -1 for none. */
  #leastLeft(from: number, tried: readonly Endpoint[] | null): number {
    const { endpoints, weights } = this.#candidates;
    let best = -1;
    for (let step = 0; step < endpoints.length; step += 1) {
      const at = (from + step) % endpoints.length;
      if (isPassedOver(endpoints[at] as Endpoint, tried)) continue;
      if (best === -1 || this.#load(at) * (weights[best] as number) < this.#load(best) * (weights[at] as number)) {
        best = at;
      }
    }
    return best;
  }

  #load(at: number): number {
    return (this.#lives[at] as EndpointLive).inFlight + 1;
  }
}
