import type { GatewayError } from '../../errors.ts';
import type { AttemptMark, AttemptWatcher } from '../attempt-watcher.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Breaker, BreakerPolicy } from './breaker.ts';

/** Tells the breaker of a pool, or those of its endpoints, what became of attempts. */
export class BreakerWatcher implements AttemptWatcher {
  readonly #policy: BreakerPolicy;
  readonly #breakerOf: (endpoint: Endpoint) => Breaker;
  readonly #known: (endpoint: Endpoint) => Breaker | null;

  /**
   * `breakerOf` makes one for who has none. `known` does not: an endpoint that has left its pool, or a pool that has no breakers any
   * more, gets none by what is still under way there.
   */
  constructor(
    policy: BreakerPolicy,
    breakerOf: (endpoint: Endpoint) => Breaker,
    known: (endpoint: Endpoint) => Breaker | null = breakerOf,
  ) {
    this.#policy = policy;
    this.#breakerOf = breakerOf;
    this.#known = known;
  }

  began(endpoint: Endpoint, { serial }: AttemptMark): void {
    const breaker = this.#breakerOf(endpoint);
    // Here, since a configuration counts from its first request on: one that is only looked at changes nothing.
    breaker.adopt(this.#policy);
    breaker.began(serial);
  }

  answered(endpoint: Endpoint, status: number, headMs: number, { serial }: AttemptMark): void {
    this.#known(endpoint)?.answered(serial, status, headMs);
  }

  failed(endpoint: Endpoint, _error: GatewayError, { serial, status }: AttemptMark): void {
    this.#known(endpoint)?.failed(serial, status);
  }

  ended(endpoint: Endpoint, { serial }: AttemptMark): void {
    this.#known(endpoint)?.ended(serial);
  }
}
