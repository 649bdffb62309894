import type { Endpoint } from '../endpoint.ts';
import type { EndpointLive } from '../endpoint-live.ts';
import { AdaptiveLimit, type AdaptiveOptions, type Answered } from './adaptive-limit.ts';

/**
 * A limit of its own for each endpoint of a pool, and not one for all: they differ, and one that has become slow must not take from the
 * others. The sum is what the pool can do. As many as the pool has endpoints.
 */
export class AdaptiveLimits {
  readonly #random: () => number;
  #limits = new Map<EndpointLive, AdaptiveLimit>();

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Only these are limited from now on; what is known of them stays. */
  limit(endpoints: readonly Endpoint[], options: AdaptiveOptions): void {
    const before = this.#limits;
    this.#limits = new Map();
    for (const { live } of endpoints) {
      const limit = before.get(live) ?? new AdaptiveLimit(options, this.#random);
      this.#limits.set(live, limit);
      live.limit = limit.value(options);
    }
  }

  began({ live }: Endpoint): void {
    this.#limits.get(live)?.began(live.inFlight);
  }

  failed({ live }: Endpoint): void {
    this.#limits.get(live)?.failed();
  }

  answered({ live }: Endpoint, answer: Answered, options: AdaptiveOptions): void {
    const limit = this.#limits.get(live);
    if (limit === undefined) return;
    limit.answered(answer, live.inFlight, options);
    live.limit = limit.value(options);
  }
}
