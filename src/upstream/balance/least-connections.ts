// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import { type Endpoint, isAvailable } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, type Cursor, wasTried } from './balancer.ts';

/**
 * The endpoint with the fewest attempts in flight for its weight: the smallest `(inFlight + 1) / weight`, that is, the load
 * it would have *with* this request. So with weights 10 and 1 the small one gets its first when the big one has ten.
 * Among equals the one after the last pick wins, so that an idle pool does not send everything to its first endpoint.
 */
export class LeastConnections implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #cursor: Cursor;

  constructor(endpoints: readonly Endpoint[], cursor: Cursor) {
    this.#endpoints = endpoints;
    this.#cursor = cursor;
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    const endpoints = this.#endpoints;
    let at = this.#cursor.next;
    let next = at;
    let best: Endpoint | null = null;
    for (let left = endpoints.length; left > 0; left -= 1) {
      if (at >= endpoints.length) at = 0;
      const endpoint = endpoints[at] as Endpoint;
      at += 1;
      if (!isAvailable(endpoint) || wasTried(endpoint, tried)) continue;
      if (best !== null && !isLessLoaded(endpoint, best)) continue;
      best = endpoint;
      next = at;
    }
    this.#cursor.next = next;
    return best;
  }
}

/** `(a + 1) / weight of a < (b + 1) / weight of b`, multiplied out: exact, and integer arithmetic. */
function isLessLoaded(a: Endpoint, b: Endpoint): boolean {
  return (a.live.inFlight + 1) * b.weight < (b.live.inFlight + 1) * a.weight;
}
