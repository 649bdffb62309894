import type { HeaderList } from '../http/headers.ts';
import type { SignedCookie } from './affinity/signed-cookie.ts';
import type { BalanceRequest } from './balance/balancer.ts';
import type { ReadKey } from './balance/hash-key.ts';
import { hashText, mix } from './balance/hash-text.ts';
import type { Pool } from './pool.ts';

/** One of the pools that share a route's requests. */
export interface Branch<P = Pool> {
  readonly pool: P;
  /** Its share of requests is its part of the sum; 0 for none but those whose cookie names it. */
  readonly weight: number;
}

/** What makes a client stay with its pool. */
export type Stickiness<P = Pool> =
  /** A cookie of ours names the pool, for as long as that is in the split. */
  | { readonly kind: 'cookie'; readonly cookie: SignedCookie<P> }
  /** Something that the request has anyway is hashed: nothing has to be remembered. */
  | { readonly kind: 'key'; readonly read: ReadKey };

/** Who asks. */
export interface SplitRequest extends BalanceRequest {
  readonly headers: HeaderList;
  readonly overTls: boolean;
}

/** The pool of a request, and the Set-Cookie that tells its client so; `null` for none. */
export interface Choice<P = Pool> {
  readonly pool: P;
  readonly setCookie: string | null;
}

/**
 * Divides the requests of a route among pools by weight. A pool that has nobody available keeps its share: whoever wants another
 * one to step in says so with a fallback.
 *
 * By key it is weighted rendezvous hashing: each pool draws a number from the key, the highest wins. So the same key goes to the same
 * pool, on every gateway; when a pool's weight grows, keys move to it and between no others; and when it shrinks, only its own leave.
 */
export class Split<P extends { readonly name: string } = Pool> {
  readonly branches: readonly Branch<P>[];
  readonly #stickiness: Stickiness<P> | null;
  readonly #random: () => number;
  readonly #seeds: readonly number[];
  readonly #sum: number;

  /** At least one weight is above 0. `random` returns numbers in [0, 1). */
  constructor(branches: readonly Branch<P>[], stickiness: Stickiness<P> | null, random: () => number) {
    this.branches = branches;
    this.#stickiness = stickiness;
    this.#random = random;
    this.#seeds = branches.map(({ pool }) => hashText(pool.name));
    this.#sum = branches.reduce((sum, { weight }) => sum + weight, 0);
  }

  get stickyBy(): Stickiness<P>['kind'] | null {
    return this.#stickiness === null ? null : this.#stickiness.kind;
  }

  choose(request: SplitRequest): Choice<P> {
    const sticky = this.#stickiness;
    const pool = this.settled(request) ?? this.#any();
    if (sticky === null || sticky.kind === 'key') return { pool, setCookie: null };
    return { pool, setCookie: sticky.cookie.setCookie(pool, sticky.cookie.valueIn(request.headers), request.overTls) };
  }

  /** The pool that the request itself settles: by its cookie or its key; `null` where chance decides. */
  settled(request: SplitRequest): P | null {
    const sticky = this.#stickiness;
    if (sticky === null) return null;
    if (sticky.kind === 'key') {
      const key = sticky.read(request);
      return key === -1 ? null : this.#ofKey(key);
    }
    const value = sticky.cookie.valueIn(request.headers);
    return value === null ? null : (sticky.cookie.memberOf(value) ?? null);
  }

  #any(): P {
    let left = this.#random() * this.#sum;
    let chosen = this.branches[0] as Branch<P>;
    for (const branch of this.branches) {
      if (branch.weight === 0) continue;
      chosen = branch;
      left -= branch.weight;
      if (left < 0) break;
    }
    return chosen.pool;
  }

  /** The highest `ln(u) / weight` for draws `u` in (0, 1) is each pool's with a probability exactly in proportion to its weight. */
  #ofKey(key: number): P {
    let best = this.branches[0] as Branch<P>;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let i = 0; i < this.branches.length; i += 1) {
      const branch = this.branches[i] as Branch<P>;
      if (branch.weight === 0) continue;
      const draw = mix(key ^ (this.#seeds[i] as number));
      const score = Math.log((draw + 0.5) / 2 ** 32) / branch.weight;
      if (score <= bestScore) continue;
      best = branch;
      bestScore = score;
    }
    return best.pool;
  }
}
