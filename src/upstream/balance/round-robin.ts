// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import { type Endpoint, isAvailable } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, type Cursor, wasTried } from './balancer.ts';

/** Takes turns by weight, or plainly when all weights are equal. `cursor` is the pool's. */
export function roundRobin(endpoints: readonly Endpoint[], cursor: Cursor): Balancer {
  const weight = endpoints[0]?.weight;
  const equal = endpoints.every((endpoint) => endpoint.weight === weight);
  return equal ? new RoundRobin(endpoints, cursor) : new SmoothRoundRobin(endpoints);
}

/** Equal weights: the next available endpoint after the last one picked. */
class RoundRobin implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #cursor: Cursor;

  constructor(endpoints: readonly Endpoint[], cursor: Cursor) {
    this.#endpoints = endpoints;
    this.#cursor = cursor;
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    const endpoints = this.#endpoints;
    let at = this.#cursor.next;
    for (let left = endpoints.length; left > 0; left -= 1) {
      if (at >= endpoints.length) at = 0;
      const endpoint = endpoints[at] as Endpoint;
      at += 1;
      if (!isAvailable(endpoint) || wasTried(endpoint, tried)) continue;
      // Past the one picked, not past the one looked at first: else whoever follows a down endpoint serves its turns too.
      this.#cursor.next = at;
      return endpoint;
    }
    return null;
  }
}

/**
 * Smooth weighted round robin, nginx's algorithm: at each pick every candidate earns its weight in credit, the richest is
 * picked and pays what all of them earned. While nothing changes, every `sum of weights` picks in a row hold exactly each
 * one's share, spread evenly: 5, 1, 1 gives a a b a c a a. Who is away neither earns nor pays, so one that comes back has
 * nothing to catch up on.
 */
class SmoothRoundRobin implements Balancer {
  readonly #endpoints: readonly Endpoint[];

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
  }

  pick({ tried }: BalanceRequest): Endpoint | null {
    let richest: Endpoint | null = null;
    let earned = 0;
    for (const endpoint of this.#endpoints) {
      if (!isAvailable(endpoint) || wasTried(endpoint, tried)) continue;
      endpoint.live.credit += endpoint.weight;
      earned += endpoint.weight;
      if (richest === null || endpoint.live.credit > richest.live.credit) richest = endpoint;
    }
    if (richest !== null) richest.live.credit -= earned;
    return richest;
  }
}
