// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import { type Endpoint, isAvailable } from '../endpoint.ts';
import { type BalanceRequest, type Balancer, wasTried } from './balancer.ts';

/**
 * The same client address goes to the same endpoint: rendezvous hashing (highest random weight). Each endpoint draws a
 * number from address and origin, the highest wins.
 *
 * Why not a ring or Maglev: when an endpoint leaves, rendezvous moves its own clients and nobody else's, spreads them by
 * weight over all others, and brings them back when it returns, whatever the reason: removed, drained, unhealthy, or tried
 * already. A ring does so only with many points per endpoint, Maglev moves some others too, and both are tables to rebuild
 * at each change of health. The price is O(n) a pick: 5 to 9 ns an endpoint, so 0.5 to 0.9 µs at a hundred.
 *
 * The draw depends on the origin, not on the order of the list or the pool: editing the list moves nobody, and pools over
 * the same endpoints send a client to the same one.
 */
export class SourceIp implements Balancer {
  readonly #endpoints: readonly Endpoint[];
  readonly #seeds: Uint32Array;

  constructor(endpoints: readonly Endpoint[]) {
    this.#endpoints = endpoints;
    this.#seeds = Uint32Array.from(endpoints, (endpoint) => hashText(endpoint.origin));
  }

  pick({ clientAddress, tried }: BalanceRequest): Endpoint | null {
    const client = hashText(clientAddress);
    let best: Endpoint | null = null;
    let bestDraw = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.#endpoints.length; i += 1) {
      const endpoint = this.#endpoints[i] as Endpoint;
      if (!isAvailable(endpoint) || wasTried(endpoint, tried)) continue;
      const draw = mix(client ^ (this.#seeds[i] as number));
      // A lower draw with no more weight cannot score higher: saves most of the logarithms, with equal weights all but ~ln n.
      if (best !== null && draw <= bestDraw && endpoint.weight <= best.weight) continue;
      const score = weighted(draw, endpoint.weight);
      if (score <= bestScore) continue;
      best = endpoint;
      bestDraw = draw;
      bestScore = score;
    }
    return best;
  }
}

/**
 * `ln(u) / weight` for a draw `u` in (0, 1): the highest of these belongs to each endpoint with a probability exactly
 * proportional to its weight, and changing one weight moves clients only from or to that endpoint.
 */
function weighted(draw: number, weight: number): number {
  return Math.log((draw + 0.5) / 2 ** 32) / weight;
}

/** FNV-1a over the characters, then mixed: 32 bits, unsigned. Not keyed: a client may know where it goes. */
function hashText(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return mix(hash);
}

/** The finaliser of MurmurHash3: every input bit changes each output bit with a probability near one half. */
function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
