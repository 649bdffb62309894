import type { Clock, TimerHandle } from '../clock.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { HedgePolicy } from '../upstream/retry.ts';
import type { RetryAccount } from '../upstream/retry-account.ts';
import type { EndpointAttempt } from './endpoint-attempt.ts';

export interface HedgingParts {
  readonly clock: Clock;
  readonly policy: HedgePolicy;
  readonly account: RetryAccount;
  /** It is time for one attempt more: true when it was begun. */
  readonly hedge: () => boolean;
}

/**
 * Several attempts of one exchange at once, of which the first usable response counts: "hedged requests" of Dean and Barroso, The
 * Tail at Scale (CACM 2013). Only for exchanges that may be hedged. Holds one timer, and `max` attempts besides the first.
 */
export class Hedging {
  readonly #with: HedgingParts;
  readonly #live: EndpointAttempt[] = [];
  readonly #hedges: EndpointAttempt[] = [];
  #left: number;
  #timer: TimerHandle | null = null;

  constructor(parts: HedgingParts) {
    this.#with = parts;
    this.#left = parts.policy.max;
  }

  /** More than one attempt is under way. */
  get isRace(): boolean {
    return this.#live.length > 1;
  }

  get endpoints(): readonly Endpoint[] {
    return this.#live.map(({ endpoint }) => endpoint);
  }

  /** An attempt begins, alone. */
  began(attempt: EndpointAttempt): void {
    this.#live.length = 0;
    this.#join(attempt);
    this.#arm();
  }

  /** And this one beside it. */
  hedged(attempt: EndpointAttempt): void {
    this.#hedges.push(attempt);
    this.#join(attempt);
  }

  /** `attempt` is lost: another one that is still under way, or `null`. */
  without(attempt: EndpointAttempt): EndpointAttempt | null {
    const at = this.#live.indexOf(attempt);
    if (at !== -1) this.#live.splice(at, 1);
    const [other = null] = this.#live;
    // Nobody is raced any more; a retry begins anew.
    if (other === null) this.stop();
    return other;
  }

  /** The response of `attempt` is the one: all others are given up. */
  won(attempt: EndpointAttempt): void {
    this.stop();
    const { account } = this.#with;
    const now = this.#with.clock.monotonic();
    for (const live of this.#live) {
      // What was given up took that long at least. Left out, the slow ones would be missing from what slow is.
      account.latency.record(now - live.begunAt);
      if (live !== attempt) live.cancel(null);
    }
    if (this.#hedges.includes(attempt)) account.hedgesWon += 1;
    this.#live.length = 0;
  }

  /** Gives up every attempt and starts none. Idempotent. */
  end(): void {
    this.stop();
    for (const live of this.#live.splice(0)) live.cancel(null);
  }

  stop(): void {
    if (this.#timer !== null) this.#with.clock.cancel(this.#timer);
    this.#timer = null;
  }

  #join(attempt: EndpointAttempt): void {
    attempt.begunAt = this.#with.clock.monotonic();
    this.#live.push(attempt);
  }

  #arm(): void {
    const { clock, policy, account } = this.#with;
    if (this.#left === 0) return;
    const usualMs = account.latency.quantile(policy.quantile);
    if (usualMs === null) return;
    this.#timer = clock.after(Math.max(policy.minimumMs, usualMs), () => this.#due());
  }

  #due(): void {
    this.#timer = null;
    this.#left -= 1;
    if (this.#with.hedge()) this.#arm();
  }
}
