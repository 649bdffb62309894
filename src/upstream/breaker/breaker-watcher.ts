import type { GatewayError } from '../../errors.ts';
import type { AttemptMark, AttemptWatcher } from '../attempt-watcher.ts';
import type { Endpoint } from '../endpoint.ts';
import type { Breaker, BreakerPolicy } from './breaker.ts';

/** Tells the breaker of a pool, or those of its endpoints, what became of attempts. */
export class BreakerWatcher implements AttemptWatcher {
  readonly #policy: BreakerPolicy;
  readonly #breakerOf: (endpoint: Endpoint) => Breaker;

  constructor(policy: BreakerPolicy, breakerOf: (endpoint: Endpoint) => Breaker) {
    this.#policy = policy;
    this.#breakerOf = breakerOf;
  }

  began(endpoint: Endpoint, { serial }: AttemptMark): void {
    const breaker = this.#breakerOf(endpoint);
    // Here, since a configuration counts from its first request on: one that is only looked at changes nothing.
    breaker.adopt(this.#policy);
    breaker.began(serial);
  }

  answered(endpoint: Endpoint, status: number, headMs: number, { serial }: AttemptMark): void {
    this.#breakerOf(endpoint).answered(serial, status, headMs);
  }

  failed(endpoint: Endpoint, _error: GatewayError, { serial, status }: AttemptMark): void {
    this.#breakerOf(endpoint).failed(serial, status);
  }

  ended(endpoint: Endpoint, { serial }: AttemptMark): void {
    this.#breakerOf(endpoint).ended(serial);
  }
}
