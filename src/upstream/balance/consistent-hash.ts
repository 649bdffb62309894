// Hot: one pick per attempt. Benchmark: bench/balance.ts.
import type { Endpoint } from '../endpoint.ts';
import type { EndpointLive } from '../endpoint-live.ts';
import { type BalanceRequest, type Balancer, type Candidates, isPassedOver, noCandidates } from './balancer.ts';
import type { ReadKey } from './hash-key.ts';
import { hashText, mix } from './hash-text.ts';

/** Slots of the table: keys whose hashes end in the same 16 bits go together. */
const SLOTS = 2 ** 16;

/** Winners that are remembered for each slot. Three in ten picks of a skewed, bounded pool need the second; few need a third. */
const RANKS = 2;

export interface ConsistentHashOptions {
  readonly key: ReadKey;
  /** Most load of an endpoint as a multiple of its share, at least 1; `null` for no bound. */
  readonly load: number | null;
  /** Numbers in [0, 1), for requests without a key. */
  readonly random: () => number;
}

/**
 * The same key goes to the same endpoint: a table of slots as Maglev's (Eisenbud et al., NSDI 2016), filled by rendezvous
 * hashing (highest random weight). In each slot every endpoint draws a number, the highest wins; who won is remembered when
 * somebody asks. So a pick is a hash and one look-up, and a change of the candidates costs nothing but forgetting, and
 * 0.5 µs with a hundred endpoints when a slot is first asked for again.
 *
 * Why not Maglev's own filling, or a ring: when an endpoint leaves, rendezvous moves its own keys and nobody else's, spreads them
 * by weight over all others, and brings them back when it returns, whatever the reason: removed, unhealthy, tried, at its limit.
 * Maglev moves some others too, and must fill its table anew at each change of health; a ring is even only with many points for
 * each endpoint, and gives the whole load of one that leaves or is over the bound to few neighbours.
 *
 * Bounded loads (Mirrokni, Thorup, Zadimoghaddam, 2018): with `load` c nobody gets a request that would be more than
 * `ceil(c × average)` in flight, by weight and with this one counted. The slot's next endpoint gets it.
 *
 * The draws depend on the origin, not on the order of the list or the pool: editing the list moves nobody, and pools and
 * gateways over the same endpoints send a key to the same one. Bounded: 256 KiB for each balancer, up to 65 534 endpoints.
 */
export class ConsistentHash implements Balancer {
  readonly #options: ConsistentHashOptions;
  #candidates: Candidates = noCandidates;
  #lives: readonly EndpointLive[] = [];
  #seeds = new Uint32Array();
  #total = 0;
  /** By slot and rank: index of who won there plus one; 0 until somebody asks. */
  #winners: Uint16Array | Uint32Array = new Uint16Array(SLOTS * RANKS);

  constructor(options: ConsistentHashOptions) {
    this.#options = options;
  }

  update(candidates: Candidates): void {
    const { endpoints, weights } = candidates;
    this.#candidates = candidates;
    this.#lives = endpoints.map(({ live }) => live);
    this.#seeds = Uint32Array.from(endpoints, ({ origin }) => hashText(origin));
    this.#total = weights.reduce((sum, weight) => sum + weight, 0);
    const Table = endpoints.length < 0xffff ? Uint16Array : Uint32Array;
    if (this.#winners instanceof Table) this.#winners.fill(0);
    else this.#winners = new Table(SLOTS * RANKS);
  }

  pick(request: BalanceRequest): Endpoint | null {
    const { endpoints } = this.#candidates;
    if (endpoints.length === 0) return null;
    const slot = this.#slotOf(request);
    const first = this.#winner(slot, 0);
    const endpoint = endpoints[first] as Endpoint;
    const { load } = this.#options;
    // The first request of an endpoint is never too much, and without a bound none is.
    if ((load === null || endpoint.live.inFlight === 0) && !isPassedOver(endpoint, request.tried)) return endpoint;
    // `inFlight + 1 <= ceil(x)` is `inFlight < x` for whole numbers.
    const perWeight = load === null ? Number.POSITIVE_INFINITY : (load * (this.#inFlight() + 1)) / this.#total;
    const at = this.#within(slot, request, perWeight);
    if (at !== -1) return endpoints[at] as Endpoint;
    if (load === null) return null;
    // Everybody below the bound was tried or is at its limit: rather too much than nothing.
    return endpoints[this.#within(slot, request, Number.POSITIVE_INFINITY)] ?? null;
  }

  settled(request: BalanceRequest): Endpoint | null {
    return this.#options.key(request) === -1 ? null : this.pick(request);
  }

  #slotOf(request: BalanceRequest): number {
    const hash = this.#options.key(request);
    return hash === -1 ? Math.floor(this.#options.random() * SLOTS) : hash & (SLOTS - 1);
  }

  #inFlight(): number {
    const lives = this.#lives;
    let sum = 0;
    for (let i = 0; i < lives.length; i += 1) sum += (lives[i] as EndpointLive).inFlight;
    return sum;
  }

  /** The highest of a slot with less than `perWeight` in flight that is not passed over; -1 for none. */
  #within(slot: number, request: BalanceRequest, perWeight: number): number {
    for (let rank = 0; rank < RANKS; rank += 1) {
      const at = this.#winner(slot, rank);
      if (at === -1) return -1;
      if (this.#takes(at, request, perWeight)) return at;
    }
    return this.#highest(slot, request, perWeight);
  }

  #takes(at: number, { tried }: BalanceRequest, perWeight: number): boolean {
    const endpoint = this.#candidates.endpoints[at] as Endpoint;
    const most = perWeight * (this.#candidates.weights[at] as number);
    return endpoint.live.inFlight < most && !isPassedOver(endpoint, tried);
  }

  /** Who has won a slot but for `rank` others, which were asked for before; -1 for nobody. */
  #winner(slot: number, rank: number): number {
    const known = this.#winners[slot * RANKS + rank] as number;
    if (known !== 0) return known - 1;
    const at = this.#highest(slot, null, 0);
    this.#winners[slot * RANKS + rank] = at + 1;
    return at;
  }

  #isKnown(slot: number, at: number): boolean {
    for (let rank = 0; rank < RANKS; rank += 1) if (this.#winners[slot * RANKS + rank] === at + 1) return true;
    return false;
  }

  /**
   * Index of the highest draw in `slot` among those that take `request`, or without one among those that are not known winners
   * of the slot; -1 for none. Each draw is scored `ln(u) / weight` for `u` in (0, 1): the highest of these belongs to each
   * endpoint with a probability exactly proportional to its weight, and changing one weight moves keys only from or to that
   * endpoint.
   */
  #highest(slot: number, request: BalanceRequest | null, perWeight: number): number {
    const { weights } = this.#candidates;
    const seeds = this.#seeds;
    const hash = mix(slot + 1);
    let best = -1;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < seeds.length; i += 1) {
      const u = (mix(hash ^ (seeds[i] as number)) + 0.5) / 2 ** 32;
      const weight = weights[i] as number;
      // ln(u) <= u - 1: near the top, where it matters, hardly more, so this saves nearly all of the logarithms.
      if (u - 1 <= bestScore * weight) continue;
      const score = Math.log(u) / weight;
      if (score <= bestScore) continue;
      if (request === null ? this.#isKnown(slot, i) : !this.#takes(i, request, perWeight)) continue;
      best = i;
      bestScore = score;
    }
    return best;
  }
}
